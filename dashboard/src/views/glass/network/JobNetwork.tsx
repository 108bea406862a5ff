/** The step that a job takes after an epoch, to walk through. */
import { api, body, type Schema } from "~/api/client";
import { completed, layerKinds } from "~/api/completed";
import { NumberField, TextField } from "~/elements/Field";
import { Loaded } from "~/elements/Notice";
import { Empty } from "~/elements/Page";
import { titleOf, useCatalog, type Kind } from "~/forms/catalog";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { useSettled } from "~/state/settled";
import { networkPageText } from "~/text/glass-network";
import { GradientCheck } from "./GradientCheck";
import { ownOf } from "./own";
import { Walk } from "./Walk";

const MOST_STEPS = 20;

export function JobNetwork({ job }: { job: string }) {
  const text = networkPageText();
  const catalog = useCatalog();
  const [epoch, setEpoch] = useQuery("epoch", "model");
  const [rows, setRows] = useQuery("rows");
  const [steps, setSteps] = useQuery("steps", "1");
  const request = useSettled(JSON.stringify(momentOf(job, epoch, rows)), 400);
  const count = Math.min(MOST_STEPS, Math.max(1, Math.trunc(Number(steps)) || 1));
  const moment = JSON.parse(request) as Moment;
  const looked = useResource(`job ${job}`, (signal) => body(api.GET("/v1/jobs/{job_id}", { params: { path: { job_id: job } }, signal })));
  const kinds = looked.value ? layerKinds(completed(looked.value).model) : [];
  const isDense = kinds.every((kind) => kind === "dense");
  const isLooked = looked.value !== undefined || looked.problem !== undefined;
  const trace = useResource(isLooked && isDense ? `trace ${request} ${count}` : null, (signal) => body<Schema["Trace"]>(api.POST("/v1/traces", { body: { ...moment, steps: count, bias_form: "separate" }, signal })));
  if (!isDense) {
    return (
      <Empty title={text.notDense}>
        <p>{text.notDenseHelp([...new Set(kinds.filter((kind) => kind !== "dense"))].join(", "))}</p>
        <a href={`/jobs/${encodeURIComponent(job)}?tab=${kinds.includes("conv2d") ? "images" : "network"}`}>{looked.value?.name ?? job}</a>
      </Empty>
    );
  }
  return (
    <>
      <p class="lead after-tabs">{text.lead}</p>
      <p>
        {text.ask} <a href={`/jobs/${encodeURIComponent(job)}`}>{looked.value?.name ?? job}</a>
      </p>
      <div class="fields">
        <TextField label={text.epoch} help={text.epochHelp} value={epoch} onChange={(value) => setEpoch(value.trim() || "model")} />
        <TextField label={text.jobRows} help={text.jobRowsHelp} value={rows} placeholder="0, 1" onChange={setRows} />
        <NumberField label={text.stepsToTake} value={count} min={1} max={MOST_STEPS} step={1} onChange={(value) => value !== null && setSteps(String(value))} />
      </div>
      <Loaded resource={catalog}>
        {(entries) => (
          <>
            <Walk resource={trace} own={ownOf(entries, madeOf(looked.value, trace.value))} activations={madeOf(looked.value, trace.value).layers.map(({ activation }) => titleOf(entries, "activations", activation.kind))} />
            {trace.value && <GradientCheck request={request} load={(signal) => body<Schema["GradientCheck"]>(api.POST("/v1/gradient_checks", { body: { ...moment, parameters: 200 }, signal }))} />}
          </>
        )}
      </Loaded>
    </>
  );
}

interface Moment {
  job_id: string;
  epoch: number | "model" | "last" | "best";
  rows?: number[];
}

function momentOf(job_id: string, epoch: string, rows: string): Moment {
  const named = epoch === "last" || epoch === "best" ? epoch : "model";
  const chosen = rows.split(/[,;\s]+/).filter((word) => /^\d+$/.test(word)).map(Number);
  return { job_id, epoch: /^\d+$/.test(epoch) ? Number(epoch) : named, ...(chosen.length > 0 ? { rows: chosen } : {}) };
}

/** What the network is made of, as far as the job's request says it. */
function madeOf(job: Schema["JobResource"] | undefined, trace: Schema["Trace"] | undefined): { layers: { activation: Kind }[]; loss: Kind; optimizer: Kind } {
  const request = (job?.request ?? {}) as { model?: { hidden?: { activation?: Kind | string }[]; layers?: { activation?: Kind | string }[]; activation?: Kind | string }; loss?: Kind | string; optimizer?: Kind | string };
  const kind = (given: Kind | string | undefined): Kind => (typeof given === "object" && given !== null ? given : { kind: given ?? "" });
  const levels = trace?.steps[0]?.quantities.filter(({ name }) => name === "Z").length ?? 0;
  const layers = Array.from({ length: levels }, (_, index) => ({ activation: kind((request.model?.hidden ?? request.model?.layers)?.[index]?.activation ?? request.model?.activation) }));
  return { layers, loss: kind(request.loss), optimizer: kind(request.optimizer) };
}
