/** The rows of a dataset, a page at a time; images as pictures, and a stretch of the columns where there are many. */
import { useState } from "preact/hooks";
import { NumberField } from "~/elements/Field";
import { Loaded } from "~/elements/Notice";
import { Pages } from "~/elements/Pages";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { datasetText } from "~/text/dataset";
import { integer, number } from "~/text/format";
import type { Column, TabProps } from "./index";
import { rowsOf } from "./rows";

const PAGE = 100;
const COLUMNS = 30;

export function RowsTab({ dataset }: TabProps) {
  const text = datasetText();
  const [row, setRow] = useQuery("row", "0");
  const [from, setFrom] = useQuery("from", "0");
  const [wanted, setWanted] = useState<number | null>(null);
  const offset = Math.max(0, Math.min(Number(row) || 0, dataset.rows - 1));
  const start = Number(from) || 0;
  const columns = dataset.columns.slice(start, start + COLUMNS);
  const numbers = columns.filter((column) => !column.shape);
  const asked = JSON.stringify(numbers.map((column) => column.name));
  const page = useResource(`rows ${dataset.id} ${dataset.columns.map((column) => column.kind).join()} ${offset} ${asked}`, async (signal) =>
    numbers.length === 0 ? null : rowsOf(dataset.id, { offset, limit: PAGE, columns: numbers.map((column) => column.name) }, signal),
  );
  const count = Math.min(PAGE, dataset.rows - offset);
  return (
    <>
      <form
        class="row jump"
        onSubmit={(event) => {
          event.preventDefault();
          if (wanted !== null) setRow(String(Math.max(0, Math.min(Math.floor(wanted), dataset.rows - 1))));
        }}
      >
        <NumberField label={text.goToRow} value={wanted} min={0} max={dataset.rows - 1} step={1} onChange={setWanted} />
        <button type="submit">{text.go}</button>
      </form>
      {dataset.columns.length > COLUMNS && (
        <div class="row">
          <span class="small muted">{text.columnsShown}</span>
          <Pages first={start} size={COLUMNS} total={dataset.columns.length} onFirst={(value) => setFrom(String(value))} />
        </div>
      )}
      <Loaded resource={page}>
        {(found) => (
          <div class="table-frame tall" role="region" tabIndex={0} aria-label={text.tabs.rows}>
            <table class="cells">
              <thead>
                <tr>
                  <th class="number">{text.row}</th>
                  {columns.map((column) => (
                    <th key={column.name} class={isAligned(column) ? "number" : undefined}>
                      {column.name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {Array.from({ length: count }, (_, place) => (
                  <tr key={place}>
                    <th scope="row" class="number muted">
                      {integer(offset + place)}
                    </th>
                    {columns.map((column) => (
                      <td key={column.name} class={isAligned(column) ? "number" : undefined}>
                        {column.shape ? (
                          <Picture dataset={dataset.id} column={column} row={offset + place} />
                        ) : (
                          <Cell value={found?.rows[place]?.[found.columns.indexOf(column.name)]} column={column} />
                        )}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Loaded>
      <Pages first={offset} size={PAGE} total={dataset.rows} onFirst={(value) => setRow(String(value))} />
      <p class="small muted">{text.rowsCaption}</p>
    </>
  );
}

const isAligned = (column: Column) => column.kind === "numeric" || column.kind === "integer";

function Cell({ value, column }: { value: unknown; column: Column }) {
  const text = datasetText();
  if (value === null || value === undefined) return <span class="visually-hidden">{text.missingCell}</span>;
  if (typeof value === "boolean") return <>{column.words?.[value ? 1 : 0] ?? (value ? text.yes : text.no)}</>;
  return <>{isAligned(column) ? number(value as number, 8) : String(value)}</>;
}

function Picture({ dataset, column, row }: { dataset: string; column: Column; row: number }) {
  if (column.kind !== "image") return <span class="muted">{column.shape?.join(" × ")}</span>;
  const side = Math.max(...(column.shape ?? [1]).slice(0, 2));
  const address = `/v1/datasets/${dataset}/images/${row}?${new URLSearchParams({ column: column.name, scale: String(Math.max(1, Math.floor(48 / side))) })}`;
  return <img class="thumbnail" loading="lazy" src={address} alt={datasetText().imageOf(integer(row))} />;
}
