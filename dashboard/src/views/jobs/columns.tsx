/** The columns of the table of jobs: what each shows of a job, and what the API orders by for it. */
import type { ComponentChildren } from "preact";
import { Progress, StateBadge } from "~/elements/StateBadge";
import { remembered } from "~/state/preferences";
import { ago, dateTime, duration, integer, number } from "~/text/format";
import { jobsText } from "~/text/jobs";
import { seriesName } from "~/text/series";
import { headline, runningTime, type Row } from "./list";

export interface Names {
  datasets: Map<string, string>;
  models: Map<string, string>;
}

export interface Column {
  key: string;
  title: string;
  /** What the API orders by. */
  order?: string;
  /** Whether people look for the lowest, or the first, at the top. */
  isLowerFirst?: boolean;
  isNumber?: boolean;
  cell: (row: Row, names: Names) => ComponentChildren;
}

export const USUAL = ["state", "name", "model", "dataset", "progress", "best", "created", "duration"];
export const chosenColumns = remembered<string[]>("jobs.columns", USUAL);

const LOWER = new Set(["loss", "log_loss", "mae", "rmse"]);

/** Every loss and metric that jobs can be ordered by, given the catalog's metrics. */
export function metricKeys(metrics: readonly string[]): string[] {
  return ["validation", "train"].flatMap((part) => ["loss", ...metrics].map((name) => `${part}_${name}`));
}

export const isMetric = (key: string) => /^(train|validation)_/.test(key);

function metricColumn(key: string): Column {
  const isLowerFirst = LOWER.has(key.replace(/^(train|validation)_/, ""));
  return { key, title: seriesName(key), order: key, isLowerFirst, isNumber: true, cell: (row) => number(row.best_values[key]) };
}

function HowFar({ row }: { row: Row }) {
  const text = jobsText();
  const { epoch, epochs, fraction, eta_seconds: left } = row.progress;
  if (row.state === "queued") return <span class="muted">{row.queue_position ? text.place(integer(row.queue_position)) : ""}</span>;
  const said = text.epoch(integer(epoch), integer(epochs));
  return (
    <span class="how-far">
      {row.done ? null : <Progress value={fraction} label={said} />}
      <span class="muted small">{row.state === "running" && left !== null ? text.left(duration(left)) : said}</span>
    </span>
  );
}

function Best({ row }: { row: Row }) {
  const best = headline(row.best_values);
  if (!best) return <>–</>;
  return (
    <span title={seriesName(best[0])}>
      {number(best[1])} <span class="muted small">{seriesName(best[0].replace(/^(train|validation)_/, ""))}</span>
    </span>
  );
}

/** The columns with these keys, in the order in which they always stand. */
export function columnsOf(keys: readonly string[], ordered: string): Column[] {
  const names = jobsText().columnNames;
  const all: Record<string, Omit<Column, "key" | "title">> = {
    state: { order: "state", isLowerFirst: true, cell: (row) => <StateBadge state={row.state} /> },
    name: {
      order: "name",
      isLowerFirst: true,
      cell: (row) => (
        <a class="job-name" href={`/jobs/${row.id}`} title={row.name ?? undefined}>
          {row.name ?? row.id}
          {row.kind !== "training" && <span class="muted small"> {jobsText().oneOf[row.kind]}</span>}
        </a>
      ),
    },
    model: { cell: (row, { models }) => <span title={models.get(row.model_kind)}>{models.get(row.model_kind) ?? row.model_kind}</span> },
    dataset: { cell: (row, { datasets }) => <a href={`/datasets/${row.dataset_id}`}>{datasets.get(row.dataset_id) ?? row.dataset_id}</a> },
    progress: { cell: (row) => <HowFar row={row} /> },
    best: { isNumber: true, cell: (row) => <Best row={row} /> },
    created: { order: "created_at", cell: (row) => <time title={dateTime(row.created_at)}>{ago(row.created_at)}</time> },
    started: { order: "started_at", cell: (row) => dateTime(row.started_at) },
    finished: { order: "finished_at", cell: (row) => dateTime(row.finished_at) },
    duration: { isNumber: true, cell: (row) => duration(runningTime(row)) },
    tags: { cell: (row) => row.tags.map((tag) => <span key={tag} class="job-tag">{tag}</span>) },
    owner: { cell: (row) => row.owner },
  };
  const found: Column[] = [];
  const metrics = keys.filter(isMetric);
  const byMetric = ordered.replace(/^-/, "");
  if (isMetric(byMetric) && !metrics.includes(byMetric)) metrics.push(byMetric);
  for (const key of Object.keys(all)) {
    const isSaid = key === "best" && isMetric(byMetric); // by the column of the metric that the jobs are ordered by
    if ((keys.includes(key) && !isSaid) || key === "name") found.push({ key, title: names[key as keyof typeof names], ...(all[key] as Omit<Column, "key" | "title">) });
    if (key === "best") found.push(...metrics.map(metricColumn));
  }
  return found;
}
