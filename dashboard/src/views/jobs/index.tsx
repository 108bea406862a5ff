/** All jobs, live: found, ordered, compared, cancelled and deleted. */
import { useSignal } from "@preact/signals";
import { useLocation } from "preact-iso";
import { useMemo } from "preact/hooks";
import { api, body } from "~/api/client";
import { ProblemNotice } from "~/elements/Notice";
import { Empty, Page } from "~/elements/Page";
import { useQuery, withQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { appText } from "~/text/app";
import { integer } from "~/text/format";
import { jobsText } from "~/text/jobs";
import { chosenColumns, columnsOf, type Names } from "./columns";
import { Filters } from "./Filters";
import "./jobs.css";
import { NEWEST, orderOf, type Asked, type Row } from "./list";
import { Selection } from "./Selection";
import { Table } from "./Table";
import { useJobs } from "./useJobs";

const MOST_DATASETS = 1000;
/** Columns that stand side by side in the width of the page. */
const MOST_COLUMNS = 9;

export default function Jobs() {
  const text = jobsText();
  const { url, route } = useLocation();
  const fields = {
    kind: useQuery("kind"),
    state: useQuery("state"),
    dataset: useQuery("dataset"),
    model: useQuery("model"),
    tag: useQuery("tag"),
    name: useQuery("name"),
    order: useQuery("order", NEWEST),
  };
  const given = Object.fromEntries(Object.entries(fields).map(([name, [value]]) => [name, value])) as unknown as Asked;
  const asked = { ...given, order: orderOf(given.order) };
  const set = (name: keyof Asked, value: string) => fields[name][1](value);
  const jobs = useJobs(asked);
  const selected = useSignal<ReadonlyMap<string, Row>>(new Map());

  const datasets = useResource("jobs:datasets", (signal) =>
    body(api.GET("/v1/datasets", { params: { query: { view: "brief", page_size: MOST_DATASETS, order_by: "name" } }, signal })),
  );
  const catalog = useResource("catalog", (signal) => body(api.GET("/v1/catalog", { signal })));
  const kinds = catalog.value as Record<string, { kind: string; title: string }[]> | undefined;
  const names: Names = useMemo(
    () => ({
      datasets: new Map(datasets.value?.items.map(({ id, name }) => [id, name])),
      models: new Map(kinds?.models?.map(({ kind, title }) => [kind, title])),
    }),
    [datasets.value, kinds],
  );
  const columns = useMemo(() => columnsOf(chosenColumns.value, asked.order), [chosenColumns.value, asked.order, text]);
  const tags = useMemo(() => [...new Set(jobs.rows.flatMap((row) => row.tags))].sort(), [jobs.rows]);
  const isFiltered = Boolean(asked.kind || asked.state || asked.dataset || asked.model || asked.tag || asked.name);
  const all = withQuery(url, { kind: null, state: null, dataset: null, model: null, tag: null, name: null });
  const isEmpty = !jobs.isLoading && jobs.rows.length === 0 && !jobs.problem;

  return (
    <Page
      title={appText().jobs}
      actions={
        <a class="button primary" href="/jobs/new">
          {text.create}
        </a>
      }
    >
      {(isFiltered || !isEmpty) && <Filters asked={asked} set={set} names={names} tags={tags} metrics={(kinds?.metrics ?? []).map(({ kind }) => kind)} />}
      <ProblemNotice problem={jobs.problem} retry={jobs.reload} />
      <Selection rows={jobs.rows} selected={selected} onDeleted={(rows) => jobs.take(rows.map((row) => ({ event: "deleted", data: { id: row.id } })))} />
      <div class="job-count">
        {!isEmpty && !jobs.problem && <span class="muted" role="status">{jobs.isLoading ? text.loading : jobs.total === 1 ? text.oneJob : text.count(integer(jobs.total))}</span>}
        {isFiltered && !isEmpty && (
          <button type="button" class="quiet small" onClick={() => route(all, true)}>
            {text.clear}
          </button>
        )}
        {jobs.changed > 0 && (
          <button type="button" class="small" title={text.changed(integer(jobs.changed))} onClick={jobs.reload}>
            {text.again} ({integer(jobs.changed)})
          </button>
        )}
      </div>
      {isEmpty ? (
        isFiltered ? (
          <Empty title={text.noneFits}>
            <p>{text.noneFitsLead}</p>
            <a class="button" href={all}>
              {text.clear}
            </a>
          </Empty>
        ) : (
          <Empty title={text.none}>
            <p>{text.noneLead}</p>
            <div class="row centred">
              <a class="button primary" href="/jobs/new">
                {text.create}
              </a>
              <a class="button" href="/datasets">
                {text.toDatasets}
              </a>
            </div>
          </Empty>
        )
      ) : (
        <>
          <p id="jobs-keys" class="visually-hidden">
            {text.keys}
          </p>
          <div class={`jobs-frame${columns.length > MOST_COLUMNS ? " many" : ""}`} style={{ "--columns": columns.length }}>
            <Table rows={jobs.rows} total={jobs.total} columns={columns} names={names} order={asked.order} onOrder={(order) => set("order", order)} selected={selected} need={jobs.need} />
          </div>
        </>
      )}
    </Page>
  );
}
