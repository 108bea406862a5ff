/** One dataset: its columns, rows, images, how it was read, and what goes together. */
import { lazy, useLocation, useRoute } from "preact-iso";
import { useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { asProblem } from "~/api/problem";
import { ask, Dialog } from "~/elements/Dialog";
import { TextField } from "~/elements/Field";
import { Loaded, ProblemNotice } from "~/elements/Notice";
import { Page } from "~/elements/Page";
import { Tabs } from "~/elements/Tabs";
import { tell } from "~/elements/Toasts";
import { useQuery } from "~/state/address";
import { useAction, useResource } from "~/state/resource";
import { appText } from "~/text/app";
import { datasetText } from "~/text/dataset";
import { ago, bytes, integer } from "~/text/format";
import { ColumnsTab } from "./ColumnsTab";
import { Warnings } from "./Warnings";
import "./dataset.css";

const RowsTab = lazy(async () => (await import("./RowsTab")).RowsTab);
const ReadingTab = lazy(async () => (await import("./ReadingTab")).ReadingTab);
const CorrelationsTab = lazy(async () => (await import("./CorrelationsTab")).CorrelationsTab);
const ScatterTab = lazy(async () => (await import("./ScatterTab")).ScatterTab);
const RelationTab = lazy(async () => (await import("./RelationTab")).RelationTab);
const DescentsTab = lazy(async () => (await import("./descents/DescentsTab")).DescentsTab);
const ImagesTab = lazy(async () => (await import("./ImagesTab")).ImagesTab);
const TABS = { columns: ColumnsTab, rows: RowsTab, reading: ReadingTab, correlations: CorrelationsTab, scatter: ScatterTab, relation: RelationTab, descents: DescentsTab, images: ImagesTab };

export type Dataset = Schema["DatasetResource"];
export type Column = Schema["ColumnResource"];

export interface TabProps {
  dataset: Dataset;
  /** Show a newer form of it, after a correction. */
  onChange: (dataset: Dataset) => void;
}

/** Whether a column holds single numbers. */
export const isNumeric = (column: Column): boolean => column.kind === "numeric" || column.kind === "integer" || column.kind === "boolean";

/** Columns that a table has, at the least, where each holds a pixel. */
const FEWEST_PIXELS = 16;

/** Whether a part of the view says anything of a dataset. */
function isOf(tab: keyof typeof TABS, { source, columns }: Dataset): boolean {
  if (tab === "reading") return source.kind === "upload";
  if (tab === "images") return columns.some((column) => column.shape) || columns.filter(isNumeric).length >= FEWEST_PIXELS;
  return true;
}

export default function DatasetView() {
  const { id = "" } = useRoute().params;
  const resource = useResource<Dataset>(`dataset ${id}`, (signal) => body(api.GET("/v1/datasets/{dataset_id}", { params: { path: { dataset_id: id } }, signal })));
  if (!resource.value)
    return (
      <Page title={appText().datasets} above={<a href="/datasets">{appText().datasets}</a>}>
        <Loaded resource={resource}>{() => null}</Loaded>
      </Page>
    );
  return <Whole dataset={resource.value} onChange={resource.set} />;
}

function Whole({ dataset, onChange }: TabProps) {
  const text = datasetText();
  const { route } = useLocation();
  const [tab] = useQuery("tab", "columns");
  const [isRenaming, setIsRenaming] = useState(false);
  const tabs = (Object.keys(TABS) as (keyof typeof TABS)[]).filter((value) => isOf(value, dataset));
  const current = tabs.find((value) => value === tab) ?? "columns";
  const Shown = TABS[current];
  const remove = async () => {
    if (!(await ask(text.deleteTitle(dataset.name), text.deleteText, appText().delete))) return;
    try {
      await body(api.DELETE("/v1/datasets/{dataset_id}", { params: { path: { dataset_id: dataset.id } } }));
      tell(text.deleted(dataset.name));
      route("/datasets");
    } catch (thrown) {
      tell(asProblem(thrown).detail, { kind: "error" });
    }
  };
  return (
    <Page
      title={dataset.name}
      above={<a href="/datasets">{appText().datasets}</a>}
      lead={text.facts(integer(dataset.rows), integer(dataset.column_count), bytes(dataset.bytes), ago(dataset.created_at))}
      actions={
        <>
          <button type="button" class="quiet" onClick={() => setIsRenaming(true)}>
            {text.rename}
          </button>
          <a class="button" href={`/v1/datasets/${dataset.id}/content`} download target="_self">
            {text.content}
          </a>
          <button type="button" class="danger" onClick={() => void remove()}>
            {appText().delete}
          </button>
          <a class="button primary" href={`/jobs/new?dataset=${dataset.id}`}>
            {text.train}
          </a>
        </>
      }
    >
      <Warnings dataset={dataset} onChange={onChange} />
      <Tabs label={text.parts} name="tab" current={current} tabs={tabs.map((value) => ({ value, label: text.tabs[value] }))} />
      <Shown dataset={dataset} onChange={onChange} />
      {isRenaming && <Rename dataset={dataset} onChange={onChange} onClose={() => setIsRenaming(false)} />}
    </Page>
  );
}

function Rename({ dataset, onChange, onClose }: TabProps & { onClose: () => void }) {
  const text = datasetText();
  const [name, setName] = useState(dataset.name);
  const rename = useAction(async () => {
    onChange(await body(api.PATCH("/v1/datasets/{dataset_id}", { params: { path: { dataset_id: dataset.id } }, body: { name } })));
    tell(text.renamed);
    onClose();
  });
  return (
    <Dialog title={text.rename} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void rename.run();
        }}
      >
        <TextField label={text.newName} value={name} onChange={setName} error={rename.problem?.at("/name")} />
        {!rename.problem?.at("/name") && <ProblemNotice problem={rename.problem} />}
        <div class="actions end">
          <button type="submit" class="primary" disabled={rename.isBusy || name.trim() === "" || name === dataset.name}>
            {text.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
