/** What is worked out of a comparison of jobs: names, which value is best, which differences make numbers incomparable. */
import type { Schema } from "~/api/client";
import type { Rows } from "~/charts/files";
import type { Series } from "~/charts/aligned";
import { toNumber, type ApiNumber } from "~/text/format";

export type Comparison = Schema["Comparison"];
export type Compared = Schema["ComparedJob"];
export type Moment = "final" | "best" | "last";
export const MOST_JOBS = 20;
export const LARGEST_SMOOTHING = 0.99;

/** Ids in an address: each once, at most as many as can be compared. */
export function idsOf(query: string): string[] {
  return [...new Set(query.split(",").map((id) => id.trim()).filter(Boolean))].slice(0, MOST_JOBS);
}

/** A stretch of the axis in an address, as 10:25.5. */
export function rangeOf(query: string): [number, number] | null {
  const [low, high] = query.split(":").map(Number);
  return low !== undefined && high !== undefined && low < high ? [low, high] : null;
}

/** What each job is called: its name, with the end of its id where another has the same; without a name, its model and that. */
export function namesOf(jobs: Pick<Compared["job"], "id" | "name" | "model_kind">[]): Map<string, string> {
  const called = jobs.map((job) => job.name ?? job.model_kind);
  return new Map(
    jobs.map((job, place) => {
      const name = called[place] as string;
      const isOne = job.name !== null && called.indexOf(name) === called.lastIndexOf(name);
      return [job.id, isOne ? name : `${name} · ${job.id.slice(-6)}`];
    }),
  );
}

/** The curves shown where none are chosen: the loss and the first metric, on validation rows where there are any. */
export function usualSeries(names: string[]): string[] {
  const split = names.some((name) => name.startsWith("validation_")) ? "validation" : "train";
  const metric = names.find((name) => name.startsWith(`${split}_`) && name !== `${split}_loss`);
  return [`${split}_loss`, metric].filter((name): name is string => name !== undefined && names.includes(name));
}

/** Curves in the order in which they are offered: losses, metrics, then the rest; seconds are an axis. */
export function offered(names: string[]): string[] {
  const rank = (name: string) => (name.endsWith("_loss") ? 0 : /^(train|validation)_/.test(name) ? 1 : 2);
  return names.filter((name) => name !== "seconds").sort((a, b) => rank(a) - rank(b) || (a < b ? 1 : -1));
}

/** The chosen curves that there are; the usual ones where none of them are. */
export function shownSeries(asked: string[], names: string[]): string[] {
  const chosen = asked.filter((name) => names.includes(name));
  return chosen.length > 0 ? chosen : usualSeries(names);
}

/** A line for each job that has the curve, each in the colour of its place among the jobs. */
export function linesOf(jobs: Compared[], name: string, called: Map<string, string>, isSmoothed: boolean): Series[] {
  return jobs.flatMap((compared, look) => {
    const curve = compared.series[name];
    if (!curve || curve.x.length === 0) return [];
    const values = (isSmoothed ? curve.smoothed : null) ?? curve.value;
    return [{ name: called.get(compared.job.id) ?? compared.job.id, x: curve.x, y: values.map((value) => toNumber(value)), look }];
  });
}

/** The points of a chart as a table: one a row, so that jobs of different lengths need no gaps. */
export function rowsOf(jobs: Compared[], name: string, axis: string, called: Map<string, string>, words: { job: string; id: string; value: string }): Rows {
  const rows = jobs.flatMap((compared) => {
    const curve = compared.series[name];
    return (curve?.x ?? []).map((x, place) => [called.get(compared.job.id) ?? "", compared.job.id, x, (curve?.value[place] ?? null) as number | null]);
  });
  return { columns: [words.job, words.id, axis, words.value], rows };
}

/** The metrics that some job has at that moment, without the epoch, validation first. */
export function columnsOf(jobs: Compared[], moment: Moment): string[] {
  const found = new Set(jobs.flatMap((compared) => Object.keys(compared.metrics[moment] ?? {})));
  found.delete("epoch");
  const rank = (name: string) => (name.startsWith("validation_") ? 0 : 1);
  return [...found].sort((a, b) => rank(a) - rank(b));
}

/** The value of a metric of a job at that moment; NaN where it has none. */
export function valueOf(compared: Compared, moment: Moment, name: string): number {
  return toNumber(compared.metrics[moment]?.[name] as ApiNumber | null | undefined);
}

/** The ids of the jobs whose value is best; none where there is nothing to choose between. */
export function bestOf(jobs: Compared[], moment: Moment, name: string, isHigherBetter: boolean): Set<string> {
  const values = jobs.map((compared) => [compared.job.id, valueOf(compared, moment, name)] as const).filter(([, value]) => Number.isFinite(value));
  if (values.length < 2) return new Set();
  const best = values.map(([, value]) => value).reduce((a, b) => (isHigherBetter ? Math.max(a, b) : Math.min(a, b)));
  const winners = values.filter(([, value]) => value === best);
  return winners.length === values.length ? new Set() : new Set(winners.map(([id]) => id));
}

/** A pointer into a request as people write it: /optimizer/learning_rate is optimizer.learning_rate. */
export function pathOf(pointer: string): string {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .join(".");
}

/** A setting's value in a cell: text as it stands, anything else as JSON. */
export function written(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export interface Caution {
  tables: boolean;
  splits: boolean;
  losses: boolean;
}

/** What keeps numbers of these jobs from being compared: other tables, other validation rows, losses of other kinds or units. */
export function cautionOf({ jobs, settings }: Pick<Comparison, "jobs" | "settings">): Caution {
  const differs = (start: string) => settings.some(({ pointer }) => pointer === start || pointer.startsWith(`${start}/`));
  const tables = new Set(jobs.map((compared) => compared.table_sha256).filter((digest) => digest !== null));
  const units = new Set(jobs.map((compared) => JSON.stringify(compared.units ?? {})));
  return { tables: tables.size > 1 || differs("/target"), splits: differs("/split"), losses: differs("/loss") || units.size > 1 };
}
