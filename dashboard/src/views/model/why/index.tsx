/** What a model's predictions rest on: a row with another cell, one feature over its range, each column's weight, and sums. */
import type { ComponentType } from "preact";
import type { Schema } from "~/api/client";
import { whyText } from "~/text/why";
import { Contributions } from "./Contributions";
import { Dependence } from "./Dependence";
import { Importance } from "./Importance";
import type { Part } from "./parts";
import { WhatIf } from "./WhatIf";
import "./why.css";

export type Model = Schema["ModelResource"];
export type Dataset = Schema["DatasetResource"];

export interface PartProps {
  model: Model;
  /** That it was trained on, which its rows are of. */
  dataset: Dataset;
}

const PARTS: Record<Part, ComponentType<PartProps>> = { what_if: WhatIf, dependence: Dependence, importance: Importance, contributions: Contributions };

export function Why({ part, model, dataset }: PartProps & { part: Part }) {
  const Shown = PARTS[part];
  return (
    <div class="why">
      <p class="muted">{whyText().leads[part]}</p>
      <Shown model={model} dataset={dataset} />
    </div>
  );
}
