/** A row of the dataset with other cells: what the model answers to it, and what it would answer. */
import { api, body, type Schema } from "~/api/client";
import { NumberField, SelectField } from "~/elements/Field";
import { Formula } from "~/elements/Formula";
import { Loaded, Notice, ProblemNotice } from "~/elements/Notice";
import { useQuery } from "~/state/address";
import { useKept, useResource } from "~/state/resource";
import { useMoving, useSettled } from "~/state/settled";
import { integer, number, percent, toNumber } from "~/text/format";
import { whyText } from "~/text/why";
import { InputField } from "../OneRow";
import { shown } from "../prediction";
import { readValues, type Cell, type Input, type Row } from "../values";
import type { Dataset, PartProps } from "./index";
import { answerParts, truth } from "./parts";

type Answered = Schema["WhatIf"];

/** The row that the address names, counted from 0. */
export function useRow(dataset: Dataset): [number, (row: number) => void] {
  const [written, set] = useMoving("at", "0");
  return [Math.min(dataset.rows - 1, Math.max(0, Math.trunc(Number(written)) || 0)), (row) => set(String(row))];
}

export function RowField({ dataset, row, onChange }: { dataset: Dataset; row: number; onChange: (row: number) => void }) {
  const text = whyText();
  const most = dataset.rows - 1;
  return <NumberField label={text.row} help={text.rows(integer(most))} value={row} min={0} max={most} step={1} onChange={(value) => value !== null && value >= 0 && value <= most && onChange(Math.trunc(value))} />;
}

export function WhatIf({ model, dataset }: PartProps) {
  const inputs = model.inputs.filter(({ shape }) => !shape);
  return inputs.length > 0 ? <Changed model={model} dataset={dataset} inputs={inputs} /> : <p class="muted">{whyText().noFeature}</p>;
}

function Changed({ model, dataset, inputs }: PartProps & { inputs: Input[] }) {
  const text = whyText();
  const [row, setRow] = useRow(dataset);
  const [written, setWritten] = useMoving("changes");
  const [wanted, setWanted] = useQuery("column", inputs[0]!.name);
  const changes = readValues(written);
  const input = inputs.find(({ name }) => name === wanted) ?? inputs[0]!;
  const cells = useResource(`cells:${dataset.id}:${row}:${input.name}`, async (signal) => {
    const query = { offset: row, limit: 1, columns: JSON.stringify([input.name]) };
    const found = (await body(api.GET("/v1/datasets/{dataset_id}/rows", { params: { path: { dataset_id: dataset.id }, query }, headers: { Accept: "application/json" }, signal }))) as Schema["RowsPage"];
    return found.rows[0]?.[0] as Cell;
  });
  const column = dataset.columns.find(({ name }) => name === input.name);
  const own = typeof cells.value === "boolean" && input.words ? (input.words[cells.value ? 1 : 0] ?? null) : (cells.value ?? null);
  const cell = input.name in changes ? changes[input.name]! : own;
  // Before anything is changed, the row's own cell is asked about.
  const asked = useSettled(JSON.stringify({ row, changes: Object.keys(changes).length > 0 ? changes : own === null ? null : { [input.name]: own } }), 120);
  const { changes: given } = JSON.parse(asked) as { changes: Row | null };
  const found = useKept(
    useResource(given === null ? null : `what-if:${model.job_id}:${asked}`, (signal) => body(api.POST("/v1/jobs/{job_id}/what_if", { params: { path: { job_id: model.job_id } }, body: JSON.parse(asked) as never, signal }))),
    (value) => value.row === row,
  );
  const set = (value: Cell) => value !== null && setWritten(JSON.stringify({ ...changes, [input.name]: value }));
  const without = (name: string) => setWritten(Object.keys(changes).length > 1 ? JSON.stringify(Object.fromEntries(Object.entries(changes).filter(([other]) => other !== name))) : "");
  return (
    <div class="predict">
      <div>
        <RowField dataset={dataset} row={row} onChange={setRow} />
        <SelectField label={text.column} value={input.name} onChange={setWanted} options={inputs.map(({ name }) => ({ value: name, label: name }))} />
        <ProblemNotice problem={cells.problem} retry={cells.reload} />
        <InputField input={input} column={column} cell={cell} error={found.problem?.errors[0]?.detail} onChange={set} />
        <Slider label={text.slide(input.name)} column={column} isWhole={input.kind === "integer"} value={cell} onChange={set} />
      </div>
      <div class="inputs" aria-live="polite">
        {given === null ? <Notice>{text.gap}</Notice> : <Loaded resource={found}>{(answered) => <Shown answered={answered} isChanged={Object.keys(changes).length > 0} onRemove={without} />}</Loaded>}
      </div>
    </div>
  );
}

/** Moves a number over the range that it has in the data. */
function Slider({ label, column, isWhole, value, onChange }: { label: string; column: Schema["ColumnResource"] | undefined; isWhole: boolean; value: Cell; onChange: (value: number) => void }) {
  const [low, high] = [toNumber(column?.min), toNumber(column?.max)];
  if (typeof value !== "number" || !(low < high)) return null;
  const step = isWhole ? 1 : Number(((high - low) / 200).toPrecision(1));
  return <input type="range" aria-label={label} min={low} max={high} step={step} value={value} onInput={(event) => onChange(Number(event.currentTarget.value))} />;
}

function Shown({ answered, isChanged, onRemove }: { answered: Answered; isChanged: boolean; onRemove: (name: string) => void }) {
  const text = whyText();
  const { before, after, target, split } = answered;
  const told = after.probabilities ? percentage : (value: number) => number(value);
  const parts = answerParts(after);
  const earlier = before ? new Map(answerParts(before).map(({ name, value }) => [name, value])) : null;
  const isNumber = typeof after.prediction === "number" && !after.distances;
  return (
    <>
      {answered.warnings?.map(({ code, detail }) => (
        <Notice key={code} kind="warning">
          {detail}
        </Notice>
      ))}
      <div class="table-frame field" tabIndex={0} role="region" aria-label={text.parts.what_if}>
        <table>
          <thead>
            <tr>
              <td />
              <th class="number">{text.before}</th>
              <th class="number">{text.after}</th>
              <th class="number">{text.difference}</th>
            </tr>
          </thead>
          <tbody>
            {isChanged &&
              answered.changes.map(({ column, before: was, after: is }) => (
                <tr key={column}>
                  <th scope="row">
                    {column}{" "}
                    <button type="button" class="small quiet" aria-label={text.undo(column)} title={text.undo(column)} onClick={() => onRemove(column)}>
                      ✕
                    </button>
                  </th>
                  <td class="number">{was === null ? text.missing : shown(was)}</td>
                  <td class="number">{shown(is)}</td>
                  <td class="number">{typeof was === "number" && typeof is === "number" ? number(is - was) : ""}</td>
                </tr>
              ))}
            <tr class="sum">
              <th scope="row">{text.prediction}</th>
              <td class="number">{before ? shown(before.prediction) : "–"}</td>
              <td class="number">{shown(after.prediction)}</td>
              <td class="number">{isNumber && before ? number(toNumber(answered.difference as number)) : ""}</td>
            </tr>
            {parts.map(({ name, value }) => (
              <tr key={name}>
                <th scope="row">{after.distances ? text.centroid(name) : name}</th>
                <td class="number">{earlier ? told(earlier.get(name) ?? NaN) : "–"}</td>
                <td class="number">{told(value)}</td>
                <td class="number">{earlier ? signed(value - (earlier.get(name) ?? NaN), told) : ""}</td>
              </tr>
            ))}
            {after.loss !== null && after.loss !== undefined && (
              <tr>
                <th scope="row">{text.loss}</th>
                <td class="number">{number(before?.loss)}</td>
                <td class="number">{number(after.loss)}</td>
                <td class="number">{before ? signed(toNumber(after.loss) - toNumber(before.loss), (value) => number(value)) : ""}</td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
      <p class="muted">
        {target !== null && target !== undefined && `${text.truly(truth(target))} `}
        {split ? text.splits[split] : text.noSplit}
      </p>
      <Formula latex={answered.formula} isBlock />
    </>
  );
}

const percentage = (value: number): string => percent(value, 1);
/** A difference with its sign; what is told as 0 has none. */
function signed(value: number, told: (value: number) => string): string {
  const size = told(Math.abs(value));
  return size === told(0) ? size : `${value < 0 ? "−" : "+"}${size}`;
}
