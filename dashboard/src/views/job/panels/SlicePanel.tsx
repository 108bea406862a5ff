/** A slice of the job's loss: what is asked for, how far it is where it takes long, and the surface with the run's path. */
import { useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { completed } from "~/api/completed";
import { Choice, NumberField, SelectField } from "~/elements/Field";
import { Loaded, Notice, ProblemNotice } from "~/elements/Notice";
import { Empty } from "~/elements/Page";
import { Progress, StateBadge } from "~/elements/StateBadge";
import { useQuery } from "~/state/address";
import { useAction, useResource, type Resource } from "~/state/resource";
import { duration, integer } from "~/text/format";
import { slicesText } from "~/text/slices";
import { useJob } from "../live";
import { useEpochs } from "./epochs";
import { ParameterField } from "./ParameterField";
import "./panels.css";
import { Slice } from "./Slice";
import { isJob, parametersOf, placeOf, requestOf, written, type Asked } from "./slices";

type Found = Schema["JobLandscape"];

const WAYS = ["principal", "random", "weights"] as const;
/** Epochs that have to be kept for the way of the run to be a plane. */
const FEWEST_PRINCIPAL = 3;
const MOST_POINTS = 200;
const USUAL = { resolution: "25", rows: "1000" };

export function SlicePanel({ job }: { job: Schema["JobResource"] }) {
  const text = slicesText();
  const { split } = completed(job);
  const splits = (["train", "validation", "test"] as const).filter((name) => name === "train" || split[name] > 0);
  const epochs = useEpochs(job);
  const [way, setWay] = useQuery("along");
  const [seed, setSeed] = useQuery("seed", "0");
  const [epoch, setEpoch] = useQuery("of", "model");
  const [resolution, setResolution] = useQuery("points", USUAL.resolution);
  const [extent, setExtent] = useQuery("extent");
  const [rows, setRows] = useQuery("rows", USUAL.rows);
  const [part, setPart] = useQuery("split", "train");
  const [first, setFirst] = useQuery("first");
  const [second, setSecond] = useQuery("second");
  const [worked, setWorked] = useQuery("slice");
  const [found, setFound] = useState<Found | null>(null);
  const directions = WAYS.find((each) => each === way) ?? ((epochs.value?.length ?? 0) < FEWEST_PRINCIPAL ? "random" : "principal");
  const weights = useResource(directions === "weights" ? `parameters:${job.id}` : null, (signal) =>
    body(api.GET("/v1/jobs/{job_id}/weights", { params: { path: { job_id: job.id }, query: { epoch: "last" } }, signal, parseAs: "json" })),
  ) as Resource<Schema["Weights"]>;
  const parameters = weights.value ? parametersOf(weights.value.layers) : [];
  const asked: Asked = {
    epoch,
    directions,
    seed: Math.max(0, Math.trunc(Number(seed)) || 0),
    first: placeOf(first, parameters, 0),
    second: placeOf(second, parameters, 1),
    resolution: Math.min(MOST_POINTS, Math.max(2, Math.trunc(Number(resolution)) || Number(USUAL.resolution))),
    extent: Number(extent) > 0 ? Number(extent) : null,
    split: splits.find((name) => name === part) ?? "train",
    rows: Math.max(1, Math.trunc(Number(rows)) || Number(USUAL.rows)),
  };
  const draw = useAction(async () => {
    const answer = await body<Found | Schema["JobResource"]>(api.POST("/v1/jobs/{job_id}/landscape", { params: { path: { job_id: job.id } }, body: requestOf(asked) }));
    setFound(isJob(answer) ? null : answer);
    setWorked(isJob(answer) ? answer.id : "");
  });
  if (epochs.value?.length === 0) return <Empty title={text.noEpochs} />;
  const kept = [...(epochs.value ?? [])].reverse().map(String);
  return (
    <>
      <p class="lead after-tabs">{text.lead}</p>
      <form
        class="stack field"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void draw.run();
        }}
      >
        <Choice label={text.directions} value={directions} onChange={setWay} options={WAYS.map((value) => ({ value, label: text.ways[value] }))} />
        <p class="muted small">{text.helps[directions]}</p>
        {directions === "weights" && (
          <Loaded resource={weights}>
            {() => (
              <div class="columns two">
                {asked.first && <ParameterField label={text.first} parameters={parameters} value={asked.first} onChange={(place) => setFirst(written(place))} />}
                {asked.second && <ParameterField label={text.second} parameters={parameters} value={asked.second} onChange={(place) => setSecond(written(place))} />}
              </div>
            )}
          </Loaded>
        )}
        <div class="fields">
          {directions === "random" && <NumberField label={text.seed} value={asked.seed} min={0} step={1} onChange={(value) => value !== null && setSeed(String(value))} error={draw.problem?.at("/directions/seed")} />}
          <SelectField label={text.epoch} value={epoch} onChange={setEpoch} options={[{ value: "model", label: text.model }, ...kept.map((value) => ({ value, label: integer(Number(value)) }))]} error={draw.problem?.at("/epoch")} />
          <SelectField label={text.split} value={asked.split} onChange={setPart} options={splits.map((value) => ({ value, label: text.splits[value] }))} />
          <NumberField label={text.rows} value={asked.rows} min={1} step={1} onChange={(value) => value !== null && setRows(String(value))} error={draw.problem?.at("/rows")} />
          <NumberField label={text.resolution} value={asked.resolution} min={2} max={MOST_POINTS} step={1} onChange={(value) => value !== null && setResolution(String(value))} error={draw.problem?.at("/resolution")} />
          <NumberField label={text.extent} help={text.extentHelp} value={asked.extent} min={0} onChange={(value) => setExtent(value === null ? "" : String(value))} error={draw.problem?.at("/extent")} />
        </div>
        <div>
          <button type="submit" class="primary" disabled={draw.isBusy || (directions === "weights" && !asked.second)}>
            {draw.isBusy ? text.drawing : text.draw}
          </button>
        </div>
      </form>
      <ProblemNotice problem={draw.problem} />
      {worked ? <Worked key={worked} id={worked} /> : found && <Slice slice={found} />}
    </>
  );
}

/** A slice that is worked out as a job: its progress, and then what came of it. */
function Worked({ id }: { id: string }) {
  const text = slicesText();
  const { job } = useJob(id);
  const isThere = job.value?.state === "succeeded";
  const result = useResource(isThere ? `result:${id}` : null, (signal) => body(api.GET("/v1/jobs/{job_id}/result", { params: { path: { job_id: id } }, signal }))) as unknown as Resource<Found>;
  const cancel = useAction(async () => {
    const changed = await body(api.POST("/v1/jobs/{job_id}/cancel", { params: { path: { job_id: id } } }));
    job.set(changed);
  });
  if (isThere) return <Loaded resource={result}>{(slice) => <Slice slice={slice} />}</Loaded>;
  return (
    <Loaded resource={job}>
      {({ state, done, progress, error }) => {
        if (state === "cancelled") return <Notice>{text.cancelled}</Notice>;
        if (error) return <Notice kind="error" title={error.title}>{error.detail}</Notice>;
        const eta = progress.eta_seconds;
        return (
          <div class="card stack" role="status">
            <div class="row">
              <StateBadge state={state} /> {text.working}
            </div>
            <Progress value={progress.fraction} label={text.progress} />
            <div class="row">
              <span class="muted small">{[text.lines(integer(progress.epoch), integer(progress.epochs)), eta !== null && text.left(duration(eta))].filter(Boolean).join(" · ")}</span>
              {!done && (
                <button type="button" class="small" disabled={cancel.isBusy || state === "cancelling"} onClick={() => void cancel.run()}>
                  {text.cancel}
                </button>
              )}
            </div>
            <ProblemNotice problem={cancel.problem} />
          </div>
        );
      }}
    </Loaded>
  );
}
