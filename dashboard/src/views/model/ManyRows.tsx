/** Many rows, pasted or from a file, and what is predicted for each. */
import { useRef, useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { asProblem, Problem } from "~/api/problem";
import { save, toCsv } from "~/charts/files";
import { Field } from "~/elements/Field";
import { ProblemNotice } from "~/elements/Notice";
import { Section } from "~/elements/Page";
import { appText } from "~/text/app";
import { integer, percent } from "~/text/format";
import { modelsText } from "~/text/models";
import { shown, Warnings, type Predictions } from "./prediction";
import { NoRows, placeOf, rowsOf, type Table } from "./rows";
import { plain, sharesOf, usualOf } from "./values";

type Model = Schema["ModelResource"];
type Dataset = Schema["DatasetResource"];

const SHOWN = 100;
const MOST_SHARES = 8;

export function ManyRows({ model, dataset }: { model: Model; dataset: Dataset | undefined }) {
  const text = modelsText();
  const [written, setWritten] = useState("");
  const [wrong, setWrong] = useState<string | undefined>();
  const [problem, setProblem] = useState<Problem | undefined>();
  const [result, setResult] = useState<{ table: Table; answer: Predictions } | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [isOver, setOver] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const names = model.inputs.map((input) => input.name);

  const predict = async (given: string) => {
    setWrong(undefined);
    setProblem(undefined);
    setResult(null);
    let table: Table;
    try {
      table = rowsOf(given, names);
    } catch (thrown) {
      if (!(thrown instanceof NoRows)) throw thrown;
      setWrong(sentence(thrown));
      return;
    }
    setBusy(true);
    try {
      const answer = await body(api.POST("/v1/models/{model_id}/predict", { params: { path: { model_id: model.id } }, body: table as never }));
      setResult({ table, answer });
    } catch (thrown) {
      const found = asProblem(thrown);
      if (found.errors.length === 0) setProblem(found);
      else setWrong(found.errors.slice(0, 10).map(({ pointer, detail }) => told(placeOf(pointer, table.columns), detail)).join("\n"));
    } finally {
      setBusy(false);
    }
  };
  const read = async (chosen: File | undefined) => {
    if (!chosen) return;
    const content = await chosen.text();
    if (content.includes("\u0000")) {
      setWrong(text.notText);
      return;
    }
    setWritten(content.length > 200_000 ? "" : content);
    await predict(content);
  };
  const example = () => {
    const columns = new Map(dataset?.columns.map((column) => [column.name, column]));
    const cells = model.inputs.map((input) => usualOf(input, columns.get(input.name)) ?? input.categories?.[0] ?? 0);
    setWritten(toCsv({ columns: names, rows: [cells.map(String)] }).trim());
  };
  return (
    <>
      <form
        class={`rows-form drop${isOver ? " over" : ""}`}
        onSubmit={(event) => {
          event.preventDefault();
          void predict(written);
        }}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void read(event.dataTransfer?.files[0]);
        }}
      >
        <Field label={text.paste} help={text.pasteHelp} error={wrong}>
          {(control) => <textarea {...control} rows={8} spellcheck={false} wrap="off" value={written} placeholder={names.slice(0, 12).join(",")} onInput={(event) => setWritten(event.currentTarget.value)} />}
        </Field>
        <div class="actions">
          <button type="submit" class="primary" disabled={isBusy}>
            {text.predictRows}
          </button>
          <button type="button" onClick={() => file.current?.click()}>
            {text.choose}
          </button>
          <button type="button" class="quiet" onClick={example}>
            {text.example}
          </button>
          {written && (
            <button type="button" class="quiet" onClick={() => { setWritten(""); setResult(null); setWrong(undefined); }}>
              {text.clear}
            </button>
          )}
          <input ref={file} class="visually-hidden" type="file" tabIndex={-1} aria-label={text.choose} onChange={(event) => { void read(event.currentTarget.files?.[0]); event.currentTarget.value = ""; }} />
        </div>
      </form>
      {isBusy && <p class="waiting" aria-busy="true">{appText().loading}</p>}
      <ProblemNotice problem={problem} />
      {result && <Results model={model} {...result} />}
    </>
  );
}

function sentence({ code, given }: NoRows): string {
  const text = modelsText();
  const [one = "", two = "", three = ""] = given.map((value) => (typeof value === "number" ? integer(value) : value));
  const sentences = {
    noRows: () => text.noRows,
    cells: () => text.cells(one, two, three),
    noHeader: () => text.noHeader(one, two),
    notJson: () => text.notJson + one,
    notRows: () => text.notRows,
    tooMany: () => text.tooMany(one),
  };
  return sentences[code]();
}

function told({ row, column }: { row?: number; column?: string }, detail: string): string {
  const text = modelsText();
  if (row !== undefined) return `${column === undefined ? `${text.row} ${integer(row)}` : text.inRow(integer(row), column)}: ${detail}`;
  return column === undefined ? detail : `${text.inColumn(column)}: ${detail}`;
}

function Results({ model, table, answer }: { model: Model; table: Table; answer: Predictions }) {
  const text = modelsText();
  const shares = sharesOf(answer.probabilities?.[0]).map(({ name }) => name);
  const target = Array.isArray(model.target) ? model.target.join(", ") : (model.target ?? text.cluster);
  const distances = answer.distances ?? [];
  const download = () => {
    const columns = [...table.columns, `predicted ${model.target === null ? "cluster" : target}`, ...shares.map((name) => `probability ${name}`), ...(distances[0] ?? []).map((_, cluster) => `distance to cluster ${cluster}`)];
    const rows = table.data.map((cells, row) => [
      ...cells.map((cell) => (cell === null ? null : typeof cell === "object" ? JSON.stringify(cell) : String(cell))),
      plain(answer.predictions[row]),
      ...sharesOf(answer.probabilities?.[row]).map(({ value }) => value),
      ...(distances[row] ?? []),
    ]);
    save(`${model.name ?? "model"}-predictions.csv`, new Blob([toCsv({ columns, rows })], { type: "text/csv" }));
  };
  const some = table.data.slice(0, SHOWN);
  const isWide = shares.length > MOST_SHARES;
  return (
    <Section
      title={text.predictions}
      actions={
        <button type="button" onClick={download}>
          {text.download}
        </button>
      }
    >
      <Warnings of={answer} />
      {table.data.length > SHOWN && <p class="muted">{text.shown(integer(SHOWN), integer(table.data.length))}</p>}
      <div class="table-frame">
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">{text.row}</th>
              <th scope="col">{target}</th>
              {isWide ? <th scope="col" class="number">{text.probability}</th> : shares.map((name) => <th key={name} scope="col" class="number">{name}</th>)}
              {table.columns.map((name) => <th key={name} scope="col">{name}</th>)}
            </tr>
          </thead>
          <tbody>
            {some.map((cells, row) => {
              const values = sharesOf(answer.probabilities?.[row]).map(({ value }) => value);
              return (
                <tr key={row}>
                  <td class="number">{integer(row + 1)}</td>
                  <th scope="row">{shown(answer.predictions[row])}</th>
                  {isWide ? <td class="number">{percent(Math.max(...values), 1)}</td> : values.map((value, k) => <td key={k} class="number">{percent(value, 1)}</td>)}
                  {cells.map((cell, k) => <td key={k} class="nowrap">{cell === null ? "" : typeof cell === "object" ? "…" : String(cell)}</td>)}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
