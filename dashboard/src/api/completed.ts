/** The completed request of a job, with every default filled in. */
import type { Schema } from "./client";

type Kind = { kind: string };

/** What the views read of a completed request; each family's own fields stand beside its kind. */
export interface Completed {
  dataset_id: string;
  name: string | null;
  /** Null of a clustering. */
  target: string | string[] | null;
  features: string[];
  task: "classification" | "regression" | "tagging" | "clustering";
  model: Kind & { hidden?: { units: number; activation: string | Kind; dropout: number }[]; layers?: unknown };
  loss: Kind | null;
  optimizer: (Kind & { learning_rate?: number }) | null;
  split: { validation: number; test: number };
  epochs: number | null;
  batch_size: number | "full" | null;
  record: { curves: "epoch" | "batch"; checkpoint_every: number | null; histograms_every: number | null };
  [field: string]: unknown;
}

/** The kinds of a completed model's layers, where it has a list of them; a multilayer perceptron has none, and dense layers alone. */
export function layerKinds(model: { layers?: unknown }): string[] {
  return Array.isArray(model.layers) ? model.layers.map((layer: string | Kind) => (typeof layer === "string" ? layer : layer.kind)) : [];
}

export function completed(job: Pick<Schema["JobResource"], "request">): Completed {
  return job.request as unknown as Completed;
}
