/** Filters and feature maps as grids of numbers, a picture each. */
import { layerKinds } from "~/api/completed";
import { toNumber } from "~/text/format";

export type Grid = number[][];
type Nested = number | string | null | Nested[];

const cell = (value: unknown): number => toNumber(value as number | string | null);

/** Maps (height, width, maps) as a grid a map. */
export function mapsOf(values: unknown[], maps: number): Grid[] {
  const rows = values as Nested[][][];
  return Array.from({ length: maps }, (_, map) => rows.map((row) => row.map((at) => cell((at as Nested[])[map]))));
}

/** Weights (height, width, channels, filters) as, for each filter, a grid a channel. */
export function filtersOf(weights: unknown[], channels: number, filters: number): Grid[][] {
  const rows = weights as Nested[][][][];
  return Array.from({ length: filters }, (_, filter) =>
    Array.from({ length: channels }, (_, channel) => rows.map((row) => row.map((at) => cell((at[channel] as Nested[] | undefined)?.[filter])))),
  );
}

/** The largest distance from 0 of any finite number; 1 where there is none. */
export function largestOf(grids: Grid[]): number {
  let most = 0;
  for (const grid of grids) for (const row of grid) for (const value of row) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  return most || 1;
}

/** Whether a completed model has filters to show. */
export const hasConvolution = (model: { layers?: unknown }): boolean => layerKinds(model).includes("conv2d");

/** The shape of nested lists of numbers. */
export function shapeOf(values: unknown): number[] {
  return Array.isArray(values) ? [values.length, ...shapeOf(values[0])] : [];
}
