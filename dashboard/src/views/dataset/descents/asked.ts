/** Descents over a dataset's cost, as the address holds them and the API is asked for them. */
import type { Schema } from "~/api/client";
import type { Kind } from "~/forms/catalog";
import { isNumeric, type Column, type Dataset } from "../index";

export interface Descent {
  optimizer: Kind;
  batch_size: number | "full";
  scaling: string;
}

export interface Asked {
  feature: string;
  target: string;
  /** null: as the target says. */
  model: Schema["DescentsRequest"]["model"];
  epochs: number;
  start: [number, number] | null;
  hold: "w" | "b" | null;
  descents: Descent[];
}

export const MOST_EPOCHS = 1000;
export const MOST_DESCENTS = 8;
const RESOLUTION = 60;
const CURVE_RESOLUTION = 200;
const FEW_ROWS = 100;

const plain = (learning_rate: number): Kind => ({ kind: "gradient_descent", learning_rate });
const usual: Descent = { optimizer: plain(0.1), batch_size: "full", scaling: "mean_normalization" };

/** What is worth comparing, for a dataset of so many rows. */
export const COMPARISONS: Record<"batches" | "rates" | "scalings" | "optimizers", (rows: number) => Descent[]> = {
  batches: (rows) => (["full", rows < FEW_ROWS ? 4 : 32, 1] as const).map((batch_size) => ({ ...usual, batch_size })),
  rates: () => [0.01, 0.5, 2.5].map((rate) => ({ ...usual, optimizer: plain(rate) })),
  scalings: () => ["none", "standard"].map((scaling) => ({ ...usual, optimizer: plain(0.005), scaling })),
  optimizers: () => [plain(0.1), { kind: "momentum", learning_rate: 0.1 }, { kind: "adagrad", learning_rate: 1 }, { kind: "adam", learning_rate: 0.5 }].map((optimizer) => ({ ...usual, optimizer })),
};
export type Comparison = keyof typeof COMPARISONS;

/** The descents that an address holds; null where it holds none. */
export function descentsOf(address: string): Descent[] | null {
  try {
    const found: unknown = JSON.parse(address);
    return Array.isArray(found) && found.length > 0 && found.every(isDescent) ? found.slice(0, MOST_DESCENTS) : null;
  } catch {
    return null;
  }
}

function isDescent(value: unknown): value is Descent {
  const { optimizer, batch_size, scaling } = (value ?? {}) as Partial<Descent>;
  return typeof optimizer?.kind === "string" && (batch_size === "full" || Number.isInteger(batch_size)) && typeof scaling === "string";
}

/** Columns that a model of two parameters can predict by, and what it can predict: numbers, or one of two classes. */
export function columnsFor({ columns }: Dataset): { features: string[]; targets: string[] } {
  const named = columns.filter(({ role }) => role !== "index");
  return { features: named.filter(isNumeric).map(({ name }) => name), targets: named.filter((column) => isNumeric(column) || isTwofold(column)).map(({ name }) => name) };
}

const isTwofold = ({ kind, distinct }: Column): boolean => kind === "boolean" || (kind === "categorical" && distinct === 2);

/** What is predicted at first, by what: a last column of two classes, or else the two columns of the most different numbers. */
export function usualColumns(dataset: Dataset): { feature: string; target: string } {
  const { features } = columnsFor(dataset);
  const last = dataset.columns[dataset.columns.length - 1];
  const numbers = dataset.columns.filter(({ name }) => features.includes(name)).sort((one, other) => (one.distinct ?? 0) - (other.distinct ?? 0));
  const target = last && isTwofold(last) ? last : numbers.pop();
  return { feature: numbers.filter((column) => column !== target).at(-1)?.name ?? "", target: target?.name ?? "" };
}

/** Rows with a gap are dropped: a descent over them has no cost. */
export const hasGaps = (dataset: Dataset, names: string[]): boolean => dataset.columns.some(({ name, missing }) => names.includes(name) && missing > 0);

export function requestOf(dataset: Dataset, { feature, target, model, epochs, start, hold, descents }: Asked): Schema["DescentsRequest"] {
  const gaps = hasGaps(dataset, [feature, target]) ? { missing: "drop" } : {};
  const settings = descents.map(({ optimizer, batch_size, scaling }) => ({ optimizer, batch_size, preprocessing: { scaling, ...gaps } }));
  return { dataset_id: dataset.id, feature, target, model, epochs, start, hold, resolution: hold ? CURVE_RESOLUTION : RESOLUTION, descents: settings } as unknown as Schema["DescentsRequest"];
}
