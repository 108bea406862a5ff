/** One row by a form: each input with what the data has, and the prediction beside it, which follows. */
import { api, body, type Schema } from "~/api/client";
import { Field, NumberField, SelectField } from "~/elements/Field";
import { ProblemNotice } from "~/elements/Notice";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { integer, number } from "~/text/format";
import { modelsText } from "~/text/models";
import { Prediction, usePrediction } from "./prediction";
import { choicesOf, plain, pointerOf, readValues, usualOf, type Cell, type Column, type Input, type Row } from "./values";

type Model = Schema["ModelResource"];
type Dataset = Schema["DatasetResource"];

const MOST_FIELDS = 150;
const OTHER = "\u0000other";

/** A row of the data that the reader asked for, by its number from 1. */
export function useTaken(dataset: Dataset | undefined) {
  const [taken, setTaken] = useQuery("take");
  const place = /^\d+$/.test(taken) ? Number(taken) : null;
  const row = useResource(dataset && place ? `row:${dataset.id}:${place}` : null, async (signal) => {
    const query = { offset: (place ?? 1) - 1, limit: 1 };
    const found = (await body(api.GET("/v1/datasets/{dataset_id}/rows", { params: { path: { dataset_id: dataset?.id ?? "" }, query }, signal }))) as { columns: string[]; rows: unknown[][] };
    return Object.fromEntries(found.columns.map((name, k) => [name, found.rows[0]?.[k] ?? null])) as Row;
  });
  const another = () => dataset && setTaken(String(1 + Math.floor(Math.random() * dataset.rows)));
  return { place, row, another, setTaken };
}

export function OneRow({ model, dataset }: { model: Model; dataset: Dataset | undefined }) {
  const text = modelsText();
  const [written, setWritten] = useQuery("row");
  const { place, row, another, setTaken } = useTaken(dataset);
  const changed = readValues(written);
  const columns = new Map(dataset?.columns.map((column) => [column.name, column]));
  const base = (input: Input): unknown => (row.value ? row.value[input.name] : usualOf(input, columns.get(input.name)));
  const record: Row = Object.fromEntries(model.inputs.map((input) => [input.name, input.name in changed ? changed[input.name] : base(input)]));
  const isWanting = model.inputs.some((input) => input.required && record[input.name] === null);
  const predicted = usePrediction(model.id, isWanting || (place !== null && !row.value) ? null : record);
  const set = (name: string, cell: Cell) => setWritten(JSON.stringify({ ...changed, [name]: cell }));
  const target = typeof model.target === "string" ? row.value?.[model.target] : undefined;
  const isOther = place !== null && Object.keys(changed).length > 0;
  const fields = model.inputs.slice(0, MOST_FIELDS);
  const isFields = fields.some((input) => predicted.problem?.at(`/records/0/${pointerOf(input.name)}`));
  return (
    <div class="predict">
      <form class="inputs" onSubmit={(event) => event.preventDefault()} noValidate>
        <p class="muted">
          {text.form} {place !== null && row.value && text.tookRow(integer(place))}
        </p>
        <ProblemNotice problem={row.problem} />
        <div class="fields">
          {fields.map((input) => (
            <InputField
              key={input.name}
              input={input}
              column={columns.get(input.name)}
              cell={record[input.name] as Cell}
              error={predicted.problem?.at(`/records/0/${pointerOf(input.name)}`)}
              onChange={(cell) => set(input.name, cell)}
            />
          ))}
        </div>
        <div class="actions">
          {dataset && dataset.rows > 0 && (
            <button type="button" onClick={() => { setWritten(""); another(); }}>
              {text.takeRow}
            </button>
          )}
          {(written !== "" || place !== null) && (
            <button type="button" class="quiet" onClick={() => { setWritten(""); setTaken(""); }}>
              {text.usual}
            </button>
          )}
        </div>
      </form>
      <Prediction
        model={model}
        predicted={predicted}
        isTold={isFields}
        otherwise={isWanting || isFields ? text.needed : text.noPrediction}
        truth={target === undefined || isOther ? undefined : plain(target)}
      />
    </div>
  );
}

interface FieldProps {
  input: Input;
  column: Column | undefined;
  cell: Cell;
  error: string | undefined;
  onChange: (cell: Cell) => void;
}

export function InputField({ input, column, cell, error, onChange }: FieldProps) {
  const text = modelsText();
  const choices = choicesOf(input);
  const optional = input.required ? undefined : text.optional;
  if (choices) {
    const options = choices.map(({ value }) => ({ value, label: value }));
    if (!input.required || cell === null) options.unshift({ value: "", label: "" });
    if (input.other || (typeof cell === "string" && !choices.some(({ value }) => value === cell))) options.push({ value: OTHER, label: text.other });
    const known = choices.find((choice) => choice.cell === cell);
    return (
      <SelectField
        label={input.name}
        help={optional}
        error={error}
        value={cell === null ? "" : (known?.value ?? OTHER)}
        options={options}
        onChange={(value) => onChange(value === "" ? null : value === OTHER ? text.other : (choices.find((choice) => choice.value === value)?.cell ?? null))}
      />
    );
  }
  if (input.kind === "vector") return <VectorField label={input.name} length={input.shape?.[0] ?? 0} cell={cell} error={error} onChange={onChange} />;
  const [low, high] = [column?.min, column?.max];
  const isKnown = low !== null && low !== undefined && high !== null && high !== undefined;
  const isOutside = isKnown && typeof cell === "number" && (cell < Number(low) || cell > Number(high));
  const hint = isKnown ? (isOutside ? text.outside : text.range)(number(low, 6), number(high, 6)) : undefined;
  const beside = column?.unit ? <span class="muted">{column.unit}</span> : undefined;
  return (
    <NumberField
      label={input.name}
      beside={beside}
      help={[hint, optional].filter(Boolean).join("; ") || undefined}
      error={error}
      step={input.kind === "integer" ? 1 : "any"}
      value={typeof cell === "number" ? cell : null}
      onChange={onChange}
    />
  );
}

function VectorField({ label, length, cell, error, onChange }: { label: string; length: number; cell: Cell; error: string | undefined; onChange: (cell: Cell) => void }) {
  const text = modelsText();
  const numbers = Array.isArray(cell) ? cell : [];
  return (
    <Field label={label} help={text.numbers} error={error ?? (numbers.length === length ? undefined : text.numbersFew(integer(length), integer(numbers.length)))}>
      {(control) => (
        <textarea
          {...control}
          defaultValue={numbers.join(", ")}
          onChange={(event) => onChange(event.currentTarget.value.split(/[\s,;]+/).filter(Boolean).map(Number))}
        />
      )}
    </Field>
  );
}
