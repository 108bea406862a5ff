/** What a model predicts for one row, as it changes. */
import { Fragment } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import type { Problem } from "~/api/problem";
import { Notice, ProblemNotice } from "~/elements/Notice";
import { Section } from "~/elements/Page";
import { useResource } from "~/state/resource";
import { integer, number, percent, toNumber } from "~/text/format";
import { modelsText } from "~/text/models";
import { plain, sharesOf, type Row, type Share } from "./values";

type Model = Schema["ModelResource"];
export type Predictions = Schema["PredictionsResource"];

const QUIET_MILLISECONDS = 150;
const MOST_BARS = 12;

export interface Predicted {
  value: Predictions | undefined;
  problem: Problem | undefined;
}

/** Ask shortly after each change; the last answer stays until the next one is here. */
export function usePrediction(model: string, record: Row | null): Predicted {
  const written = record && JSON.stringify(record);
  const [settled, setSettled] = useState(written);
  const last = useRef<Predictions | undefined>(undefined);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(written), QUIET_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [written]);
  const answer = useResource(settled === null ? null : `predict:${model}:${settled}`, (signal) =>
    body(api.POST("/v1/models/{model_id}/predict", { params: { path: { model_id: model } }, body: { records: [JSON.parse(settled as string) as never] }, signal })),
  );
  if (answer.value) last.current = answer.value;
  if (settled === null || answer.problem) last.current = undefined;
  return { value: last.current, problem: answer.problem };
}

interface Props {
  model: Model;
  predicted: Predicted;
  /** What is said where there is no prediction. */
  otherwise: string;
  /** What the data says of this row. */
  truth?: string;
  /** Whether problems are told elsewhere. */
  isTold?: boolean;
}

export function Prediction({ model, predicted, otherwise, truth, isTold = false }: Props) {
  const text = modelsText();
  const { value, problem } = predicted;
  return (
    <Section title={text.prediction} class="prediction">
      {!isTold && <ProblemNotice problem={problem} />}
      <div aria-live="polite">
        {value ? <Value of={value.predictions[0]} target={model.target ?? text.cluster} /> : <p class="muted">{otherwise}</p>}
      </div>
      {truth !== undefined && value && <p class="muted">{text.truly(truth)}</p>}
      {value?.probabilities && <Bars shares={sharesOf(value.probabilities[0])} chosen={plain(value.predictions[0])} />}
      {value?.distances?.[0] && <Distances of={value.distances[0].map(toNumber)} chosen={Number(value.predictions[0])} />}
      {value && <Warnings of={value} />}
    </Section>
  );
}

export function Warnings({ of }: { of: Predictions }) {
  if (!of.warnings?.length) return null;
  return (
    <Notice kind="warning" title={modelsText().warnings}>
      <ul>
        {of.warnings.map((warning) => (
          <li key={warning.code + (warning.column ?? "")}>{warning.detail}</li>
        ))}
      </ul>
    </Notice>
  );
}

function Value({ of, target }: { of: unknown; target: string | string[] }) {
  const parts = Array.isArray(of) && Array.isArray(target) && of.length === target.length ? Object.fromEntries(target.map((name, k) => [name, of[k] as unknown])) : of;
  if (typeof parts === "object" && parts !== null && !Array.isArray(parts)) {
    return (
      <dl class="facts">
        {Object.entries(parts).map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd class="predicted">{shown(value)}</dd>
          </Fragment>
        ))}
      </dl>
    );
  }
  return (
    <p class="predicted">
      <span class="muted">{Array.isArray(target) ? target.join(", ") : target}</span> <strong>{shown(parts)}</strong>
    </p>
  );
}

/** A prediction for people. */
export const shown = (value: unknown): string => (typeof value === "number" ? number(value, 6) : plain(value));

/** Probabilities as bars; of many, the largest. */
export function Bars({ shares, chosen }: { shares: Share[]; chosen: string }) {
  const text = modelsText();
  if (shares.length === 0) return null;
  const some = shares.length > MOST_BARS ? [...shares].sort((one, other) => other.value - one.value).slice(0, MOST_BARS) : shares;
  return (
    <table class="bars">
      <caption>{text.probabilities}</caption>
      <tbody>
        {some.map(({ name, value }) => (
          <tr key={name} class={name === chosen ? "chosen" : undefined}>
            <th scope="row">{name}</th>
            <td aria-hidden="true">
              <div class="bar" style={{ "--share": Number.isFinite(value) ? value : 0 }} />
            </td>
            <td class="number">{percent(value, 1)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The clusters by their numbers; of many, those whose centroids are nearest, the nearest first. */
export function nearestOf(distances: number[], most: number): number[] {
  const clusters = distances.map((_, cluster) => cluster);
  return clusters.length > most ? clusters.sort((one, other) => (distances[one] as number) - (distances[other] as number)).slice(0, most) : clusters;
}

/** How far each centroid is. */
function Distances({ of, chosen }: { of: number[]; chosen: number }) {
  const text = modelsText();
  return (
    <table class="bars">
      <caption>{text.distances}</caption>
      <tbody>
        {nearestOf(of, MOST_BARS).map((cluster) => (
          <tr key={cluster} class={cluster === chosen ? "chosen" : undefined}>
            <th scope="row">{integer(cluster)}</th>
            <td class="number">{number(of[cluster])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
