/** Forking a job: from which epoch, and what is to be different. */
import { useLocation } from "preact-iso";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, body, idempotencyKey, type Schema } from "~/api/client";
import type { FieldProblem } from "~/api/problem";
import { Dialog } from "~/elements/Dialog";
import { SelectField, TextField } from "~/elements/Field";
import { Loaded, Notice, ProblemNotice } from "~/elements/Notice";
import { choicesOf } from "~/forms/choices";
import type { Form } from "~/forms/form";
import { useJobSchema } from "~/forms/job";
import { useLead } from "~/forms/places";
import { SchemaFields } from "~/forms/SchemaField";
import { at, changed, isObject, laidOver, unchanged, type JsonObject } from "~/forms/values";
import { useCheck } from "~/state/check";
import { useAction, useResource } from "~/state/resource";
import { appText } from "~/text/app";
import { forkText } from "~/text/fork";
import { duration, integer } from "~/text/format";
import "./fork.css";

interface Props {
  job: Schema["JobResource"];
  /** What is filled in to begin with: the body of a fork. */
  from?: JsonObject;
  onClose: () => void;
}

const FIRST = ["epochs", "optimizer", "schedule", "early_stopping"];
const ELSEWHERE = ["name", "task"];
const OVERRIDES = "/overrides";

export function Fork({ job, from, onClose }: Props) {
  const text = forkText();
  const checkpoints = useResource(`checkpoints:${job.id}`, (signal) =>
    body(api.GET("/v1/jobs/{job_id}/checkpoints", { params: { path: { job_id: job.id }, query: { page_size: MOST } }, signal })),
  );
  return (
    <Dialog title={text.title} onClose={onClose}>
      <p class="muted">{text.lead}</p>
      <Loaded resource={checkpoints}>
        {({ items }) => {
          const epochs = items.map((checkpoint) => checkpoint.epoch).filter((epoch) => epoch > 0).sort((one, other) => other - one);
          return epochs.length ? <ForkForm job={job} from={from} epochs={epochs} onClose={onClose} /> : <Notice>{text.none}</Notice>;
        }}
      </Loaded>
    </Dialog>
  );
}

const MOST = 1000;

function ForkForm({ job, from, epochs, onClose }: Props & { epochs: number[] }) {
  const text = forkText();
  const { route } = useLocation();
  const place = useRef<HTMLFormElement>(null);
  const { known, catalog, problem: missing } = useJobSchema();
  const request = job.request as JsonObject;
  const [epoch, setEpoch] = useState(epochs.find((value) => value === from?.epoch) ?? epochs[0]!);
  const [overrides, setOverrides] = useState<JsonObject>({});
  useEffect(() => {
    if (known && isObject(from?.overrides)) setOverrides(laidOver({}, request, from.overrides, known.fields));
  }, [known !== undefined]);
  const [isOpen, setOpen] = useState(false);
  // A fork from the last epoch has none left: as many again are offered, and shown as any other change.
  const whole = Number(request.epochs);
  const given: JsonObject = !("epochs" in overrides) && epoch >= whole ? { ...overrides, epochs: epoch + whole } : overrides;
  const fork = { epoch, overrides: given };
  const call = { path: { job_id: job.id } };
  const checked = useCheck(JSON.stringify(fork), async (signal) => {
    const answer = await body(api.POST("/v1/jobs/{job_id}/fork", { params: { ...call, query: { validate_only: true } }, body: fork, signal }));
    return answer as unknown as Schema["Estimate"];
  });
  const key = useRef({ body: "", value: "" });
  const start = useAction(async () => {
    const written = JSON.stringify(fork);
    if (key.current.body !== written) key.current = { body: written, value: idempotencyKey() };
    const made = await body(api.POST("/v1/jobs/{job_id}/fork", { params: { ...call, header: { "idempotency-key": key.current.value } }, body: fork }));
    onClose();
    route(`/jobs/${(made as { id: string }).id}`);
  });
  const problem = checked.problem ?? start.problem;
  const completed = isObject(checked.estimate?.request) ? (checked.estimate.request as JsonObject) : request;
  const fields = known?.fields ?? [];
  const choices = choicesOf(known?.choices ?? [], request.model, at(request, ["model", "solver"]), request.task);
  const errorAt = (pointer: string) => problem?.at(OVERRIDES + pointer);
  const form: Form = {
    changes: given,
    completed,
    catalog,
    set: (path, value) => setOverrides(changed(given, completed, path, value, fields)),
    reset: (path) => setOverrides(unchanged(overrides, path)),
    errorAt,
    isHidden: (pointer) => (choices?.without.includes(pointer) ?? false) && !errorAt(pointer),
    isOptional: (pointer) => pointer === "/early_stopping",
    omit: (path) => setOverrides(at(request, path) ? changed(given, completed, path, null, fields) : unchanged(overrides, path)),
    choicesAt: (pointer) => (pointer === "/loss" ? choices?.losses : undefined),
  };
  const open = fields.filter((field) => !known?.fixed.includes(`/${field.name}`) && !ELSEWHERE.includes(field.name));
  const first = FIRST.flatMap((name) => open.filter((field) => field.name === name));
  const rest = open.filter((field) => !FIRST.includes(field.name));
  const named = (value: number) => {
    if (value === epochs[0]) return text.last(integer(value));
    return value === (job.best as { epoch?: number } | null)?.epoch ? text.best(integer(value)) : integer(value);
  };
  const lead = useLead(place, () => setOpen(true));
  const go = (pointer: string) => lead(pointer.replace(OVERRIDES, ""));
  return (
    <form
      ref={place}
      class="fork"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!start.isBusy) void start.run();
      }}
    >
      <ProblemNotice problem={missing} />
      <div class="fields">
        <SelectField
          label={text.epoch}
          help={text.epochHelp}
          value={String(epoch)}
          onChange={(value) => setEpoch(Number(value))}
          options={epochs.map((value) => ({ value: String(value), label: named(value) }))}
          error={problem?.at("/epoch")}
          pointer="/epoch"
        />
        <TextField
          label={text.name}
          value={String(given.name ?? job.name ?? "")}
          onChange={(name) => (name && name !== job.name ? form.set(["name"], name) : form.reset(["name"]))}
          error={errorAt("/name")}
          pointer="/name"
        />
      </div>
      <SchemaFields form={form} fields={first} path={[]} />
      <details class="all-settings" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{text.more}</summary>
        {isOpen && <SchemaFields form={form} fields={rest} path={[]} />}
      </details>
      <footer class="fork-end">
        {problem && problem.errors.length === 0 && <ProblemNotice problem={problem} />}
        {problem && problem.errors.length > 0 && (
          <ul class="mend">
            {problem.errors.map((error: FieldProblem) => (
              <li key={error.pointer + error.detail}>
                <button type="button" class="quiet small" onClick={() => go(error.pointer)}>
                  <code>{error.pointer.replace(OVERRIDES, "").slice(1).replaceAll("/", ".")}</code>
                </button>{" "}
                <span class="field-error">{error.detail}</span>
              </li>
            ))}
          </ul>
        )}
        {!problem && checked.estimate && (
          <p class="muted small">
            {Object.keys(given).length === 0 ? text.same : ""} {text.still(integer(Number(completed.epochs) - epoch), checked.estimate.seconds === null ? null : duration(checked.estimate.seconds))}
          </p>
        )}
        <div class="actions end">
          <button type="button" onClick={onClose}>
            {appText().cancel}
          </button>
          <button type="submit" class="primary" disabled={start.isBusy || problem !== undefined}>
            {start.isBusy ? text.starting : text.start}
          </button>
        </div>
      </footer>
    </form>
  );
}
