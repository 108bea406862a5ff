/** One prediction of a linear model, taken apart: what each feature adds, and what it adds up to. */
import { useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { Bar, scaleOf } from "~/charts/Bar";
import { Choice, SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Loaded } from "~/elements/Notice";
import { useQuery } from "~/state/address";
import { useKept, useResource } from "~/state/resource";
import { number, toNumber } from "~/text/format";
import { whyText } from "~/text/why";
import { shown } from "../prediction";
import type { PartProps } from "./index";
import { truth } from "./parts";
import { stepsOf } from "./steps";
import { RowField, useRow } from "./WhatIf";

export function Contributions({ model, dataset }: PartProps) {
  const [row, setRow] = useRow(dataset);
  const found = useKept(
    useResource(`contributions:${model.id}:${row}`, (signal) => body(api.GET("/v1/models/{model_id}/contributions", { params: { path: { model_id: model.id }, query: { row } }, signal }))),
    (value) => value.model_id === model.id,
  );
  return (
    <>
      <div class="fields">
        <RowField dataset={dataset} row={row} onChange={setRow} />
      </div>
      <Loaded resource={found}>{(contributions) => <Shown contributions={contributions} />}</Loaded>
    </>
  );
}

/** Rows of the table; the others are added up in one. */
const MOST_FEATURES = 30;

function Shown({ contributions }: { contributions: Schema["ContributionsResource"] }) {
  const text = whyText();
  const outputs = Object.keys(contributions.outputs);
  const told = outputs.includes(String(contributions.prediction)) ? String(contributions.prediction) : outputs[0]!;
  const [wanted, setWanted] = useQuery("output", told);
  const [from, setFrom] = useState<"mean" | "zero">("mean");
  const output = outputs.includes(wanted) ? wanted : told;
  const { begin, steps, end } = stepsOf(contributions, output, from, MOST_FEATURES, text.others);
  const all = [begin, end, ...steps.flatMap((step) => [step.from, step.to])];
  // Seen from the mean row, the steps may lie far from 0: the scale begins where they do.
  const scale: [number, number] = from === "mean" ? [Math.min(...all), Math.max(...all)] : scaleOf(all);
  const title = text.adds(output);
  return (
    <>
      <div class="row field">
        {outputs.length > 1 && <SelectField label={text.output} value={output} onChange={setWanted} options={outputs.map((name) => ({ value: name, label: name }))} />}
        <Choice label={text.seenFrom} value={from} onChange={setFrom} options={(["mean", "zero"] as const).map((value) => ({ value, label: text.froms[value] }))} />
      </div>
      <p>
        <strong>{text.predicts(shown(contributions.prediction))}</strong> {contributions.target !== null && contributions.target !== undefined && text.truly(truth(contributions.target))}
      </p>
      <Figure
        title={title}
        caption={[text.captions[from], typeof contributions.prediction !== "number" && text.raw].filter(Boolean).join(" ")}
        rows={() => ({
          columns: ["feature", "value", "mean", "weight", "contribution", "from_mean"],
          rows: contributions.features.map((each) => [each.feature, toNumber(each.value), toNumber(each.mean), ...[each.weights, each.contributions, each.from_mean].map((by) => toNumber(by[output]))]),
        })}
      >
        <div class="table-frame" tabIndex={0} role="region" aria-label={title}>
          <table>
            <thead>
              <tr>
                <th>{text.feature}</th>
                <th class="number">{text.contribution}</th>
                <td aria-hidden="true" />
                <th class="number">{text.value}</th>
                {from === "mean" && <th class="number">{text.mean}</th>}
                <th class="number">{text.weight}</th>
              </tr>
            </thead>
            <tbody>
              <Sum name={text.begins[from]} value={begin} scale={scale} columns={from === "mean" ? 3 : 2} />
              {steps.map((step) => (
                <tr key={step.name}>
                  <th scope="row">{step.name}</th>
                  <td class="number">{number(step.to - step.from)}</td>
                  <td class="bar-cell" aria-hidden="true">
                    <Bar scale={scale} from={step.from} to={step.to} />
                  </td>
                  {[step.value, ...(from === "mean" ? [step.mean] : []), step.weight].map((value, place) => (
                    <td key={place} class="number">
                      {value === null ? "" : number(value)}
                    </td>
                  ))}
                </tr>
              ))}
              <Sum name={text.ends} value={end} scale={scale} columns={from === "mean" ? 3 : 2} />
            </tbody>
          </table>
        </div>
        <Formula latex={contributions.formulas[from === "mean" ? "from_mean" : "contributions"]?.formula ?? ""} isBlock />
        <p class="muted small">{contributions.formulas[from === "mean" ? "from_mean" : "contributions"]?.source}</p>
      </Figure>
    </>
  );
}

function Sum({ name, value, scale, columns }: { name: string; value: number; scale: [number, number]; columns: number }) {
  return (
    <tr class="sum">
      <th scope="row">{name}</th>
      <td class="number">{number(value, 6)}</td>
      <td class="bar-cell" aria-hidden="true">
        <Bar scale={scale} from={scale[0] > 0 ? scale[0] : Math.min(0, scale[1])} to={value} />
      </td>
      <td colSpan={columns} />
    </tr>
  );
}
