/** The list of jobs as the page holds it: what it asks the API for, and what becomes of it when something happens. */
import type { Schema } from "~/api/client";
import type { ListEvent } from "~/api/stream";

export type Row = Schema["JobSummary"];

/** What the address says of the list. Empty texts ask for nothing. */
export interface Asked {
  /** What the jobs do: train, where it is empty; or any thing. */
  kind: string;
  state: string;
  dataset: string;
  model: string;
  tag: string;
  name: string;
  order: string;
}

/** Kinds of jobs about other jobs, which the list shows where it is asked to. */
export const KINDS = ["repeat", "replay", "slice"] as const satisfies Row["kind"][];
export const ANY_KIND = "any" as const;
export const NEWEST = "-created_at";
export const MOST_COMPARED = 20;

const ORDERS = /^-?(created_at|name|state|started_at|finished_at|(train|validation)_\w+)$/;

/** The order that an address asks for; the usual one where nothing is ordered by that. */
export const orderOf = (order: string): string => (ORDERS.test(order) ? order : NEWEST);

/** Ordered by `key` next: first as people look for it, then the other way round. */
export function nextOrder(order: string, key: string, isLowerFirst: boolean): string {
  const [first, second] = isLowerFirst ? [key, `-${key}`] : [`-${key}`, key];
  return order === first ? second : first;
}

/** Whether a job belongs to the list as it is asked for. */
export function fits(row: Row, asked: Asked): boolean {
  return (
    (asked.kind === ANY_KIND || row.kind === (asked.kind || "training")) &&
    (!asked.state || row.state === asked.state) &&
    (!asked.dataset || row.dataset_id === asked.dataset) &&
    (!asked.model || row.model_kind === asked.model) &&
    (!asked.tag || row.tags.includes(asked.tag)) &&
    (!asked.name || (row.name ?? "").toLocaleLowerCase().includes(asked.name.toLocaleLowerCase()))
  );
}

/** What is loaded of the list, how long all of it is, and how many changes may have put it out of order. */
export interface Loaded {
  rows: Row[];
  total: number;
  changed: number;
}

/** The list once these things have happened. */
export function withEvents(before: Loaded, events: Iterable<ListEvent>, asked: Asked): Loaded {
  let { rows, total, changed } = before;
  let places: Map<string, number> | undefined;
  const place = (id: string) => (places ??= new Map(rows.map((row, index) => [row.id, index]))).get(id);
  let isCopied = false;
  const put = (at: number, row: Row) => {
    if (!isCopied) rows = [...rows];
    isCopied = true;
    rows[at] = row;
  };
  const remove = (at: number) => {
    rows = rows.filter((_, index) => index !== at);
    total = Math.max(rows.length, total - 1);
    places = undefined;
    isCopied = true;
  };
  for (const event of events) {
    if (event.event === "reset") continue;
    const at = place(event.data.id);
    const row = at === undefined ? undefined : (rows[at] as Row);
    if (event.event === "deleted") {
      if (at !== undefined) remove(at);
      else changed += 1;
    } else if (event.event === "progress") {
      if (at !== undefined && row && !row.done) put(at, { ...row, ...event.data });
    } else if (at !== undefined && row) {
      if (!fits(event.data, asked)) remove(at);
      else put(at, event.data);
      if (asked.order !== NEWEST && asked.order !== "created_at" && row.state !== event.data.state) changed += 1;
    } else if (fits(event.data, asked)) {
      const isNewest = rows.length === 0 || event.data.created_at >= (rows[0] as Row).created_at;
      if (asked.order === NEWEST && isNewest) {
        rows = [event.data, ...rows];
        total += 1;
        places = undefined;
        isCopied = true;
      } else changed += 1;
    }
  }
  return rows === before.rows && total === before.total && changed === before.changed ? before : { rows, total, changed };
}

/** The rows that are to be drawn of `count` rows of one height, where the window shows `top` to `bottom` of their frame. */
export function shownRows(count: number, height: number, top: number, bottom: number, spare = 12): [number, number] {
  const first = Math.min(count, Math.max(0, Math.floor(top / height) - spare));
  return [first, Math.max(first, Math.min(count, Math.ceil(bottom / height) + spare))];
}

const PRIMARY = ["accuracy", "tag_accuracy", "r2"];

/** The value that tells best how good a job is: of validation where it has some, else of training. */
export function headline(values: Record<string, number>): [string, number] | undefined {
  for (const part of ["validation", "train"]) {
    for (const name of [...PRIMARY, "loss"]) {
      const value = values[`${part}_${name}`];
      if (value !== undefined) return [`${part}_${name}`, value];
    }
  }
  return undefined;
}

/** How long a job has been running, in seconds; null before it starts. */
export function runningTime(row: Row, now = Date.now()): number | null {
  if (!row.started_at) return null;
  return Math.max(0, ((row.finished_at ? Date.parse(row.finished_at) : now) - Date.parse(row.started_at)) / 1000);
}
