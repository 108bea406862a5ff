/** One model: what it predicts for rows of the reader's own, what it is and how good. */
import { lazy, useLocation } from "preact-iso";
import { api, body, type Schema } from "~/api/client";
import { ask } from "~/elements/Dialog";
import { Loaded, ProblemNotice } from "~/elements/Notice";
import { Page, Section } from "~/elements/Page";
import { Tabs } from "~/elements/Tabs";
import { tell } from "~/elements/Toasts";
import { useAction, useResource } from "~/state/resource";
import { appText } from "~/text/app";
import { dateTime, integer, number } from "~/text/format";
import { modelsText } from "~/text/models";
import { seriesName } from "~/text/series";
import { whyText } from "~/text/why";
import { Draw } from "./Draw";
import { pictureOf } from "./drawing";
import { ManyRows } from "./ManyRows";
import "./model.css";
import { OneRow } from "./OneRow";
import { metricRows } from "./values";
import { partsOf, type Part } from "./why/parts";

type Way = "draw" | "form" | "rows" | Part;

const Why = lazy(async () => (await import("./why")).Why);

type ModelResource = Schema["ModelResource"];

export default function Model({ id = "" }: { id?: string }) {
  const text = modelsText();
  const { route } = useLocation();
  const model = useResource(`model:${id}`, (signal) => body(api.GET("/v1/models/{model_id}", { params: { path: { model_id: id } }, signal })));
  const remove = useAction(async (name: string) => {
    if (!(await ask(text.deleteTitle(name), text.deleteText, text.delete))) return;
    await body(api.DELETE("/v1/models/{model_id}", { params: { path: { model_id: id } } }));
    tell(text.deleted(name));
    route("/models");
  });
  const name = model.value?.name ?? text.unnamed;
  return (
    <Page
      title={model.value ? name : appText().models}
      above={<a href="/models">{appText().models}</a>}
      actions={
        model.value && (
          <button type="button" class="danger" disabled={remove.isBusy} onClick={() => void remove.run(name)}>
            {text.delete}
          </button>
        )
      }
    >
      <ProblemNotice problem={remove.problem} />
      <Loaded resource={model}>{(found) => <Known model={found} />}</Loaded>
    </Page>
  );
}

function Known({ model }: { model: ModelResource }) {
  const text = modelsText();
  const { query } = useLocation();
  const dataset = useResource(`dataset:${model.dataset_id}`, (signal) => body(api.GET("/v1/datasets/{dataset_id}", { params: { path: { dataset_id: model.dataset_id } }, signal })));
  const isGone = dataset.problem?.status === 404;
  const picture = pictureOf(model.inputs);
  const ways: Way[] = [...(picture ? (["draw"] as const) : []), "form", "rows", ...(isGone ? [] : partsOf(model))];
  const way = ways.find((each) => each === query.by) ?? ways[0]!;
  const part = partsOf(model).find((each) => each === way);
  const isReady = dataset.value !== undefined || isGone;
  return (
    <>
      {!isGone && <ProblemNotice problem={dataset.problem} retry={dataset.reload} />}
      <Section title={text.predict}>
        <Tabs label={text.how} name="by" current={way} tabs={ways.map((each) => ({ value: each, label: { ...text.ways, ...whyText().parts }[each] }))} />
        {!isReady && <p class="waiting" aria-busy="true">{appText().loading}</p>}
        {isReady && way === "draw" && picture && <Draw model={model} dataset={dataset.value} picture={picture} />}
        {isReady && way === "form" && <OneRow model={model} dataset={dataset.value} />}
        {dataset.value && part && <Why part={part} model={model} dataset={dataset.value} />}
        {isReady && way === "rows" && <ManyRows model={model} dataset={dataset.value} />}
      </Section>
      <div class="columns two">
        <Facts model={model} dataset={isGone ? null : dataset.value?.name} />
        <Metrics model={model} />
      </div>
      <details>
        <summary>{text.settings}</summary>
        <pre tabIndex={0}>{JSON.stringify(model.request, null, 2)}</pre>
      </details>
    </>
  );
}

function Facts({ model, dataset }: { model: ModelResource; dataset: string | undefined | null }) {
  const text = modelsText();
  const inputs = model.inputs.map((input) => input.name);
  return (
    <Section title={text.facts}>
      <dl class="facts">
        <dt>{text.kind}</dt>
        <dd>{model.kind.replaceAll("_", " ")}</dd>
        <dt>{text.task}</dt>
        <dd>{text.tasks[model.task]}</dd>
        <dt>{text.target}</dt>
        <dd>{Array.isArray(model.target) ? model.target.join(", ") : (model.target ?? "—")}</dd>
        <dt>{text.from}</dt>
        <dd>{inputs.length > 8 ? `${inputs.slice(0, 8).join(", ")}, … (${integer(inputs.length)})` : inputs.join(", ")}</dd>
        <dt>{text.dataset}</dt>
        <dd>{dataset === null ? <span class="muted">{text.datasetGone}</span> : <a href={`/datasets/${model.dataset_id}`}>{dataset ?? model.dataset_id}</a>}</dd>
        <dt>{text.job}</dt>
        <dd>
          <a href={`/jobs/${model.job_id}`}>{text.itsJob}</a>
        </dd>
        <dt>{text.epoch}</dt>
        <dd>{integer(model.epoch)}</dd>
        <dt>{text.parameters}</dt>
        <dd>{integer(model.parameters)}</dd>
        <dt>{text.made}</dt>
        <dd>{dateTime(model.created_at)}</dd>
        <dt>{text.versions}</dt>
        <dd class="small">{Object.entries(model.versions).map(([name, version]) => `${name} ${version}`).join(", ")}</dd>
      </dl>
    </Section>
  );
}

function Metrics({ model }: { model: ModelResource }) {
  const text = modelsText();
  const rows = metricRows(model.metrics);
  const splits = (["train", "validation", "test"] as const).filter((split) => rows.some((row) => row[split] !== undefined));
  if (rows.length === 0) return null;
  return (
    <Section title={text.metrics}>
      <div class="table-frame">
        <table>
          <thead>
            <tr>
              <th scope="col">{text.metric}</th>
              {splits.map((split) => <th key={split} scope="col" class="number">{text[split]}</th>)}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name}>
                <th scope="row">{seriesName(row.name)}</th>
                {splits.map((split) => <td key={split} class="number">{number(row[split] as number | undefined)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
