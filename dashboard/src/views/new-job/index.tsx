/** A new job: guided from the data to a request, checked at every step. */
import { useLocation } from "preact-iso";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, body, idempotencyKey } from "~/api/client";
import { TextField } from "~/elements/Field";
import { Loaded, Notice, ProblemNotice } from "~/elements/Notice";
import { Page, Section } from "~/elements/Page";
import { tell } from "~/elements/Toasts";
import { isTargetless } from "~/forms/choices";
import { nameOf } from "~/forms/form";
import { sendable } from "~/forms/job";
import { useLead } from "~/forms/places";
import type { FieldShape } from "~/forms/schema";
import { SchemaFields } from "~/forms/SchemaField";
import { isSame, kindOf } from "~/forms/values";
import { useAction } from "~/state/resource";
import { appText } from "~/text/app";
import { integer } from "~/text/format";
import { newJobText } from "~/text/new-job";
import { Aside } from "./Aside";
import { Features, Target, Task } from "./Columns";
import { ChosenData, DataChoice } from "./Data";
import { likeJob } from "./like";
import { layersOf, placeOf, sizeOf } from "./layers";
import { Model } from "./Model";
import { Request } from "./Request";
import { useWanted, withoutColumns } from "./request";
import { useNewJob } from "./useNewJob";
import "./new-job.css";

const BY_HAND = ["dataset_id", "target", "features", "task", "model", "name"];
const FIRST = ["optimizer", "epochs", "batch_size"];

export default function NewJob() {
  const text = newJobText();
  const { query, route } = useLocation();
  const { wanted, change } = useWanted();
  const job = useNewJob(wanted, change);
  const { form, schema, dataset, checked, completed, request } = job;
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLFormElement>(null);

  const like = useAction(async (id: string, fields: FieldShape[]) => {
    const found = await likeJob(id, fields, wanted.changes);
    change(() => ({ dataset: found.dataset, changes: found.changes }));
    tell(found.isWhole ? text.fromWhole : text.from(id));
  });
  useEffect(() => {
    if (query.from && schema.known) void like.run(query.from, schema.known.fields);
  }, [query.from, schema.known !== undefined]);

  // One key for one wish: pressed twice, the same job is answered twice.
  const key = useRef({ body: "", value: "" });
  const start = useAction(async () => {
    const written = JSON.stringify(request);
    if (key.current.body !== written) key.current = { body: written, value: idempotencyKey() };
    const made = await body(api.POST("/v1/jobs", { params: { header: { "idempotency-key": key.current.value } }, body: sendable(request) }));
    route(`/jobs/${(made as { id: string }).id}`);
  });
  const isReady = dataset.value !== undefined && job.isPosed;
  const problem = checked.problem ?? start.problem;
  const fields = schema.known?.fields ?? [];
  const choices = schema.known?.choices ?? [];
  const inOrder = FIRST.flatMap((name) => fields.filter((field) => field.name === name));
  const hasGaps = dataset.value?.columns.some((column) => column.missing > 0) ?? false;
  const rest = byWeight(fields.filter((field) => ![...BY_HAND, ...FIRST].includes(field.name)));
  const restChanged = rest.filter((field) => field.name in form.changes).length;
  const go = useLead(place, () => setOpen(true));
  const noteAt = (pointer: string) => {
    const { isCurrent, estimate } = checked;
    if (!isCurrent || problem || !estimate) return undefined;
    const layer = estimate.layers[placeOf(layersOf(form.changes.model), estimate.layers.map(({ kind }) => kind), Number(pointer.split("/").at(-1)))];
    return layer && text.shape(sizeOf(layer.input_shape), sizeOf(layer.output_shape), integer(layer.parameters));
  };
  const shownForm = { ...form, noteAt };
  const modelField = fields.find((field) => field.name === "model");
  const kind = kindOf(form.changes.model) ?? job.suggestion.model;
  const members = modelField?.shape.type === "union" ? modelField.shape.members : [];
  const targetless = members.filter((member) => isTargetless(choices, member.kind)).map((member) => nameOf(form.catalog, members, member.kind));

  return (
    <Page title={text.title} lead={text.lead} above={<a href="/jobs">{appText().jobs}</a>}>
      {wanted.isBroken && <Notice kind="warning">{text.broken}</Notice>}
      <ProblemNotice problem={schema.problem ?? like.problem} />
      {!wanted.dataset && !query.from && <DataChoice onChoose={(id) => change(({ changes }) => ({ dataset: id, changes: withoutColumns(changes) }))} />}
      {wanted.dataset && (
        <Loaded resource={dataset}>
          {(data) => (
            <form
              ref={place}
              class="new-job"
              noValidate
              onSubmit={(event) => {
                event.preventDefault();
                if (isReady && !start.isBusy) void start.run();
              }}
            >
              <div class="new-job-main">
                <ChosenData dataset={data} onChange={() => change(({ changes }) => ({ dataset: "", changes }))} />
                {(!job.isTargetless || form.changes.target !== undefined) && <Target form={shownForm} columns={data.columns} without={targetless} />}
                {job.isPosed && (
                  <>
                    <Features form={shownForm} columns={data.columns} usual={job.usual.features as string[] | undefined} />
                    {hasGaps && <SchemaFields form={shownForm} fields={gapFields(fields)} path={["preprocessing"]} />}
                    <Task form={shownForm} tasks={[...new Set(choices.filter(({ model }) => isTargetless(choices, model) === job.isTargetless).map(({ task }) => task))]} />
                  </>
                )}
                {modelField && <Model form={shownForm} field={modelField} kind={kind} choices={choices} task={job.task} suggestion={job.suggestion} isPosed={job.isPosed} />}
                {job.isPosed && (
                  <>
                    <Section title={text.training}>
                      <SchemaFields form={shownForm} fields={inOrder} path={[]} />
                      <TextField
                        label={text.name}
                        value={typeof form.changes.name === "string" ? form.changes.name : ""}
                        onChange={(name) => (name ? form.set(["name"], name) : form.reset(["name"]))}
                        error={form.errorAt("/name")}
                        pointer="/name"
                      />
                      <details class="all-settings" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
                        <summary>
                          {text.more} {restChanged > 0 && <span class="muted">({text.moreCount(integer(restChanged))})</span>}
                        </summary>
                        {isOpen && <SchemaFields form={shownForm} fields={rest} path={[]} />}
                      </details>
                    </Section>
                    <Request request={request} completed={isSame(completed?.dataset_id, request.dataset_id) && !problem ? completed : undefined} />
                  </>
                )}
              </div>
              <Aside checked={checked} problem={isReady ? problem : undefined} isReady={isReady} isStarting={start.isBusy} onGo={go} />
            </form>
          )}
        </Loaded>
      )}
    </Page>
  );
}

/** Choices of kinds first, then plain fields, then groups. */
function byWeight(fields: FieldShape[]): FieldShape[] {
  const rank = ({ shape }: FieldShape) => (shape.type === "union" ? 0 : shape.type === "object" ? 2 : 1);
  return [...fields].sort((one, other) => rank(one) - rank(other));
}

/** The field that says what becomes of gaps. */
function gapFields(fields: FieldShape[]): FieldShape[] {
  const preprocessing = fields.find((field) => field.name === "preprocessing")?.shape;
  return preprocessing?.type === "object" ? preprocessing.fields.filter((field) => field.name === "missing") : [];
}
