/** Rows of a split as the API is asked for them, and what is told of each. */
import type { Schema } from "~/api/client";
import type { Completed } from "~/api/completed";
import { number } from "~/text/format";

export type RowPrediction = Schema["RowPrediction"];
export type Images = Schema["ImagesResource"];
export type Split = "train" | "validation" | "test";

/** The splits that a job has rows in, and the one that is usually looked at. */
export function splitsOf({ split }: Pick<Completed, "split">): { splits: Split[]; usual: Split } {
  const splits = (["train", "validation", "test"] as const).filter((name) => name === "train" || split[name] > 0);
  return { splits, usual: splits.includes("validation") ? "validation" : "train" };
}

export const SORTS = ["loss", "confidence", "-confidence", "leverage", "row"] as const;
export type Sort = (typeof SORTS)[number];
export const ONLY = ["all", "wrong", "right"] as const;

/** What the address says of the list; empty texts ask for nothing. */
export interface Asked {
  split: Split;
  epoch: number;
  sort: Sort;
  only: (typeof ONLY)[number];
  truth: string;
  predicted: string;
}

/** The query of one page. */
export function queryOf({ split, epoch, sort, only, truth, predicted }: Asked, page: { limit: number; offset: number }) {
  return {
    split,
    epoch: String(epoch),
    sort: sort === "-confidence" ? "confidence" : sort,
    ...(sort === "-confidence" ? { order: "desc" as const } : {}),
    only,
    ...(truth ? { true: truth } : {}),
    ...(predicted ? { predicted } : {}),
    ...page,
  } as const;
}

/** The orders that mean something for the rows: by numbers that they have. */
export const sortsOf = (formulas: Record<string, unknown>): Sort[] => SORTS.filter((sort) => sort === "row" || sort.replace("-", "") in formulas);

/** A target, a prediction or a residual as people read it: of several targets each by its name. */
export function said(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "object") return Object.entries(value).map(([name, each]) => `${name}: ${said(each)}`).join(" · ");
  return typeof value === "number" ? number(value, 6) : String(value);
}

/** Probabilities of classes, the most likely first; of tags as the model has them. */
export function likeliest(probabilities: RowPrediction["probabilities"]): [string, unknown][] {
  const all = Object.entries(probabilities ?? {});
  return all.every(([, share]) => typeof share === "number") ? all.sort(([, one], [, other]) => Number(other) - Number(one)) : all;
}

/** The images among a dataset's that are read from the features: a column of them, or columns of pixels. */
export const imagesRead = (all: Images[], features: string[]): Images | undefined =>
  all.find(({ name }) => features.some((feature) => feature === name || (feature.startsWith(name) && /^[_\-. ]*\d+([_\-. x]\d+)*$/.test(feature.slice(name.length)))));

/** Transparent pixels between the images of a sheet, as the API draws them. */
const GAP = 2;

export interface Sheet {
  address: string;
  images: Pick<Images, "width" | "height">;
  /** How many images there are, and how many stand side by side at most. */
  count: number;
  columns: number;
  scale: number;
}

/** Where on a contact sheet the image at `place` lies, and how wide all of it is, if each image is drawn `width` pixels wide. */
export function placeOnSheet({ images, count, columns, scale }: Sheet, width: number, place: number) {
  const factor = width / (images.width * scale);
  const height = images.height * scale * factor;
  const gap = GAP * factor;
  const across = Math.min(count, columns);
  return { left: (place % columns) * (width + gap), top: Math.floor(place / columns) * (height + gap), height, sheet: across * (width + gap) - gap };
}
