/** A job's layers through the epochs, made ready to draw. */
import type { Schema } from "~/api/client";
import type { Counts } from "~/charts/Histogram";
import type { Series } from "~/charts/Line";
import { toNumber } from "~/text/format";

export type Found = Schema["LayersResource"];
export type LayerSeries = Schema["LayerSeries"];
export const KINDS = ["weights", "gradients", "activations"] as const;
export type Kind = (typeof KINDS)[number];

/** The numbers that are drawn, in their order. */
export const NUMBERS = ["std", "norm", "update_ratio", "dead", "saturated", "alike", "mean", "min", "max"] as const;
export type NumberName = (typeof NUMBERS)[number];

/** The numbers that some layer has at some epoch. */
export const numbersOf = (layers: LayerSeries[]): NumberName[] => NUMBERS.filter((name) => layers.some((layer) => layer[name]?.some((value) => value !== null)));

/** Whether the number is 0 in all layers at all epochs, which is no curve. */
export const isZero = (layers: LayerSeries[], name: NumberName): boolean => layers.every((layer) => layer[name]?.every((value) => value === null || value === 0) ?? true);

/** A line a layer, of one number through the epochs. */
export function linesOf(epochs: number[], layers: LayerSeries[], name: NumberName): Series[] {
  return layers.flatMap((layer, look) => {
    const course = layer[name];
    return course ? [{ name: layer.layer, x: epochs, y: course.map(toNumber), look }] : [];
  });
}

/** The lines as a table: an epoch a row. */
export function rowsOf(epochs: number[], layers: LayerSeries[], name: NumberName) {
  const has = layers.filter((layer) => layer[name]);
  return { columns: ["epoch", ...has.map(({ layer }) => layer)], rows: epochs.map((epoch, place) => [epoch, ...has.map((layer) => (layer[name]?.[place] as number | null | undefined) ?? null)]) };
}

/** The histogram of a layer at the epoch in that place; undefined where its bins are its own. */
export function countsAt({ edges, counts }: LayerSeries, place: number): Counts | undefined {
  const found = counts?.[place];
  return edges && found ? { edges, counts: found } : undefined;
}

/** Least and greatest of all that is finite: common edges reach further than most epochs do. */
export function rangeOf(min: LayerSeries["min"], max: LayerSeries["max"]): [number, number] | undefined {
  const least = min.map(toNumber).filter(Number.isFinite);
  const greatest = max.map(toNumber).filter(Number.isFinite);
  return least.length && greatest.length ? [Math.min(...least), Math.max(...greatest)] : undefined;
}
