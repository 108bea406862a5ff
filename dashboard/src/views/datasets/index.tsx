/** All datasets: files come in, samples are made, and what there is is listed. */
import { useEffect, useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { asProblem } from "~/api/problem";
import { ask } from "~/elements/Dialog";
import { SelectField, TextField } from "~/elements/Field";
import { Loaded } from "~/elements/Notice";
import { Empty, Page, Section } from "~/elements/Page";
import { tell } from "~/elements/Toasts";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { appText } from "~/text/app";
import { datasetsText } from "~/text/datasets";
import { ago, bytes, dateTime, integer } from "~/text/format";
import { Drop } from "./Drop";
import { Samples } from "./Samples";
import "./datasets.css";

type Summary = Schema["DatasetSummary"];
type Order = keyof ReturnType<typeof datasetsText>["orders"];
const PAGE = 50;
const TYPING_MILLISECONDS = 300;

export default function Datasets() {
  const text = datasetsText();
  const [filter, setFilter] = useQuery("name");
  const [order, setOrder] = useQuery("order", "-created_at");
  const [typed, setTyped] = useState(filter);
  useEffect(() => {
    const timer = setTimeout(() => setFilter(typed), TYPING_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [typed, setFilter]);
  const page = async (signal?: AbortSignal, token?: string) =>
    body(api.GET("/v1/datasets", { params: { query: { page_size: PAGE, page_token: token, name: filter || undefined, order_by: order as Order, total: true, view: "brief" } }, signal })) as Promise<{ items: Summary[]; next_page_token: string | null; total: number | null }>;
  const list = useResource(`datasets ${filter} ${order}`, (signal) => page(signal));
  const more = async () => {
    const next = await page(undefined, list.value?.next_page_token ?? undefined);
    list.set((before) => before && { ...next, items: [...before.items, ...next.items] });
  };
  const remove = async (dataset: Summary) => {
    if (!(await ask(text.deleteTitle(dataset.name), text.deleteText, appText().delete))) return;
    try {
      await body(api.DELETE("/v1/datasets/{dataset_id}", { params: { path: { dataset_id: dataset.id } } }));
      tell(text.deleted(dataset.name));
    } catch (thrown) {
      tell(`${text.kept(dataset.name)}: ${asProblem(thrown).detail}`, { kind: "error" });
    }
    list.reload();
  };
  return (
    <Page title={appText().datasets} lead={text.lead}>
      <Section>
        <Drop onMade={list.reload} />
      </Section>
      <Section title={text.samples}>
        <Samples />
      </Section>
      <Section title={text.mine}>
        <div class="fields">
          <TextField label={text.filter} type="search" value={typed} onChange={setTyped} />
          <SelectField label={text.order} value={order} onChange={setOrder} options={Object.entries(text.orders).map(([value, label]) => ({ value, label }))} />
        </div>
        <Loaded resource={list}>
          {({ items, next_page_token, total }) =>
            items.length === 0 ? (
              <Empty title={filter ? text.noneTitle : text.emptyTitle}>{filter ? text.none : text.empty}</Empty>
            ) : (
              <>
                <div class="table-frame" tabIndex={0} role="region" aria-label={text.mine}>
                  <table class="datasets-table">
                    <thead>
                      <tr>
                        <th>{text.name}</th>
                        <th class="number">{text.rows}</th>
                        <th class="number">{text.columns}</th>
                        <th class="number">{text.size}</th>
                        <th>{text.created}</th>
                        <th>
                          <span class="visually-hidden">{text.actions}</span>
                        </th>
                      </tr>
                    </thead>
                    <tbody>
                      {items.map((dataset) => (
                        <tr key={dataset.id}>
                          <th scope="row">
                            <a href={`/datasets/${dataset.id}`}>{dataset.name}</a>
                          </th>
                          <td class="number">{integer(dataset.rows)}</td>
                          <td class="number">{integer(dataset.column_count)}</td>
                          <td class="number">{bytes(dataset.bytes)}</td>
                          <td class="nowrap" title={dateTime(dataset.created_at)}>
                            {ago(dataset.created_at)}
                          </td>
                          <td class="number">
                            <button type="button" class="quiet small" aria-label={text.deleteNamed(dataset.name)} onClick={() => void remove(dataset)}>
                              {appText().delete}
                            </button>
                          </td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
                <p class="row small muted">
                  {total !== null && text.total(integer(total))}
                  {next_page_token && (
                    <button type="button" class="small" onClick={() => void more()}>
                      {appText().more}
                    </button>
                  )}
                </p>
              </>
            )
          }
        </Loaded>
      </Section>
    </Page>
  );
}
