/** The columns of a dataset: kind, spread and statistics of each; more on the one that is chosen. */
import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { Histogram } from "~/charts/Histogram";
import { TextField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { ProblemNotice } from "~/elements/Notice";
import { Pages } from "~/elements/Pages";
import { useQuery, withQuery } from "~/state/address";
import { useAction, useResource } from "~/state/resource";
import { datasetText } from "~/text/dataset";
import { integer, number, toNumber } from "~/text/format";
import { type Column, type Dataset, isNumeric, type TabProps } from "./index";

type Spread = Schema["Histogram"];
const PAGE = 40;
const BINS = 24;
const KINDS = ["numeric", "integer", "boolean", "categorical", "text"] as const;

export function ColumnsTab({ dataset, onChange }: TabProps) {
  const text = datasetText();
  const { url } = useLocation();
  const [chosen] = useQuery("column");
  const [first, setFirst] = useQuery("first", "0");
  const [filter, setFilter] = useState("");
  const found = filter ? dataset.columns.filter((column) => column.name.toLowerCase().includes(filter.toLowerCase())) : dataset.columns;
  const start = Math.min(Number(first) || 0, Math.max(0, found.length - 1));
  const page = found.slice(start, start + PAGE);
  const spread = useSpread(dataset, page.filter(isNumeric).map((column) => column.name));
  const kind = useAction(async (name: string, wanted: string) => {
    const correction = { columns: [{ name, kind: wanted as Column["kind"] }] };
    onChange(await body(api.PATCH("/v1/datasets/{dataset_id}", { params: { path: { dataset_id: dataset.id } }, body: correction })));
  });
  return (
    <>
      {dataset.columns.length > PAGE && <TextField label={text.findColumn} type="search" value={filter} onChange={(value) => { setFilter(value); setFirst("0"); }} />}
      <ProblemNotice problem={kind.problem} />
      {page.length === 0 && <p>{text.noColumn}</p>}
      <div class="table-frame" role="region" tabIndex={0} aria-label={text.tabs.columns}>
        <table class="columns-table">
          <thead>
            <tr>
              <th>{text.column}</th>
              <th>{text.kind}</th>
              <th>{text.spread}</th>
              {[text.missing, text.distinct, text.least, text.mean, text.most, text.deviation].map((name) => (
                <th key={name} class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {page.map((column) => (
              <tr key={column.name} class={column.name === chosen ? "chosen" : undefined}>
                <th scope="row">
                  <a href={withQuery(url, { column: column.name === chosen ? null : column.name })} aria-label={text.details(column.name)} aria-expanded={column.name === chosen}>
                    {column.name}
                  </a>
                  {column.unit && <span class="muted"> ({column.unit})</span>}
                  {column.role === "index" && <div class="small muted">{text.index}</div>}
                </th>
                <td>
                  {column.shape ? (
                    <span>
                      {text.kinds[column.kind]} {column.shape.join(" × ")}
                    </span>
                  ) : (
                    <select aria-label={text.changeKind(column.name)} value={column.kind} disabled={kind.isBusy} onChange={(event) => void kind.run(column.name, event.currentTarget.value)}>
                      {KINDS.map((value) => (
                        <option key={value} value={value}>
                          {text.kinds[value]}
                        </option>
                      ))}
                    </select>
                  )}
                </td>
                <td class="spread">
                  <Small column={column} spread={spread[column.name]} rows={dataset.rows} />
                </td>
                <td class="number">{column.missing ? integer(column.missing) : <span class="muted">0</span>}</td>
                <td class="number">{integer(column.distinct)}</td>
                <td class="number">{number(column.min)}</td>
                <td class="number">{number(column.mean)}</td>
                <td class="number">{number(column.max)}</td>
                <td class="number">{number(column.std)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Pages first={start} size={PAGE} total={found.length} onFirst={(value) => setFirst(String(value))} />
      {chosen && dataset.columns.filter((column) => column.name === chosen).map((column) => <Details key={column.name} dataset={dataset} column={column} />)}
    </>
  );
}

/** The histograms of some columns, by name. */
function useSpread(dataset: Dataset, names: string[], bins = BINS): Record<string, Spread> {
  const columns = JSON.stringify(names);
  const key = names.length ? `spread ${dataset.id} ${dataset.columns.map((column) => column.kind).join()} ${columns} ${bins}` : null;
  const found = useResource(key, async (signal) => {
    const { items } = await body(api.GET("/v1/datasets/{dataset_id}/histograms", { params: { path: { dataset_id: dataset.id }, query: { columns, bins } }, signal }));
    return Object.fromEntries(items.map((item) => [item.column, item]));
  });
  return found.value ?? {};
}

/** A small picture of a column: a histogram, or bars of its most frequent values. */
function Small({ column, spread, rows }: { column: Column; spread: Spread | undefined; rows: number }) {
  const text = datasetText();
  if (spread) return <Histogram label={text.histogramOf(column.name)} edges={spread.edges} counts={spread.counts} height={34} hasAxis={false} />;
  if (!column.top || isNumeric(column) || column.distinct === rows - column.missing) return null;
  const most = column.top[0]?.count ?? 1;
  return (
    <ul class="shares">
      {column.top.slice(0, 3).map(({ value, count }) => (
        <li key={String(value)} style={{ "--share": String(count / Math.max(1, most)) }} title={`${String(value)}: ${integer(count)} / ${integer(rows)}`}>
          {String(value)}
        </li>
      ))}
    </ul>
  );
}

function Details({ dataset, column }: { dataset: Dataset; column: Column }) {
  const text = datasetText();
  const spread = useSpread(dataset, isNumeric(column) ? [column.name] : [], 60)[column.name];
  const quantiles = Object.entries(column.quantiles ?? {});
  return (
    <div class="columns two details">
      {spread && (
        <Figure title={text.histogramOf(column.name)} rows={() => ({ columns: [text.from, text.to, text.count], rows: spread.counts.map((count, bin) => [spread.edges[bin] as number, spread.edges[bin + 1] as number, count]) })}>
          <Histogram label={text.histogramOf(column.name)} edges={spread.edges} counts={spread.counts} height={180} />
        </Figure>
      )}
      {quantiles.length > 0 && (
        <table class="compact">
          <thead>
            <tr>
              <th class="number">{text.quantile}</th>
              <th class="number">{text.value}</th>
            </tr>
          </thead>
          <tbody>
            {quantiles.map(([share, value]) => (
              <tr key={share}>
                <td class="number">{number(toNumber(share))}</td>
                <td class="number">{number(value, 6)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {column.top && (column.top[0]?.count ?? 0) > 1 && (
        <table class="compact">
          <caption class="visually-hidden">{text.frequent(column.name)}</caption>
          <thead>
            <tr>
              <th>{text.value}</th>
              <th class="number">{text.count}</th>
            </tr>
          </thead>
          <tbody>
            {column.top.map(({ value, count }) => (
              <tr key={String(value)}>
                <td>{String(value)}</td>
                <td class="number">{integer(count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
