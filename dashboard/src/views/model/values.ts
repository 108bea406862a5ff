/** Values of a model's inputs: what is usual in the data, what a reader typed, and what the API takes. */
import type { Schema } from "~/api/client";

export type Input = Schema["InputColumn"];
export type Column = Schema["ColumnResource"];
export type Cell = number | string | boolean | number[] | null;
export type Row = Record<string, unknown>;

/** What an input is in the middle of the data; null where that is not known. */
export function usualOf(input: Input, column: Column | undefined): Cell {
  const top = column?.top?.[0]?.value;
  if (input.kind === "numeric" || input.kind === "integer") {
    const middle = column?.quantiles?.["0.5"] ?? column?.mean;
    if (middle === undefined || middle === null || !Number.isFinite(Number(middle))) return null;
    return input.kind === "integer" ? Math.round(Number(middle)) : Number(middle);
  }
  if (input.kind === "vector") return Array<number>(input.shape?.[0] ?? 0).fill(Number(column?.mean ?? 0));
  if (input.kind === "boolean") return input.words ? (input.words.includes(String(top)) ? String(top) : (input.words[0] ?? null)) : String(top) === "true";
  const known = input.categories ?? [];
  return known.includes(String(top)) ? String(top) : (known[0] ?? null);
}

/** What may be chosen for an input; null where it is typed. */
export function choicesOf(input: Input): { value: string; cell: Cell }[] | null {
  if (input.kind === "boolean") return (input.words ?? ["false", "true"]).map((word) => ({ value: word, cell: input.words ? word : word === "true" }));
  if (!input.categories) return null;
  return input.categories.map((category) => ({ value: category, cell: category }));
}

/** The values that the address holds: a JSON object; none where it is no such. */
export function readValues(text: string): Record<string, Cell> {
  try {
    const found: unknown = JSON.parse(text || "{}");
    return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Record<string, Cell>) : {};
  } catch {
    return {};
  }
}

/** A name within a JSON pointer. */
export const pointerOf = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");

/** Losses and metrics by what they are of. */
export function metricRows(metrics: Record<string, unknown>): { name: string; train?: unknown; validation?: unknown; test?: unknown }[] {
  const rows = new Map<string, { name: string } & Record<string, unknown>>();
  for (const [key, value] of Object.entries(metrics)) {
    const [, split, name] = /^(train|validation|test)_(.+)$/.exec(key) ?? [];
    if (!split || !name || value === null) continue;
    rows.set(name, { ...(rows.get(name) ?? { name }), [split]: value });
  }
  return [...rows.values()];
}

export interface Share {
  name: string;
  value: number;
}

/** Probabilities of a prediction by class or tag, in the model's order; of a tag in words, that of its second word. */
export function sharesOf(probabilities: Row | undefined): Share[] {
  return Object.entries(probabilities ?? {}).map(([name, value]) => {
    if (typeof value !== "object" || value === null) return { name, value: Number(value) };
    const [word, share] = Object.entries(value).at(-1) ?? ["", NaN];
    return { name: `${name}: ${word}`, value: Number(share) };
  });
}

/** A prediction as text, for files. */
export function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(plain).join("; ");
  if (typeof value === "object" && value !== null) return Object.entries(value).map(([name, part]) => `${name}: ${plain(part)}`).join("; ");
  return String(value);
}
