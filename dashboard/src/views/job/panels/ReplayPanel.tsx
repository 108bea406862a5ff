/** Replays: a stretch of the epochs is trained again, and every bit held against what was recorded. */
import { useRef, useState } from "preact/hooks";
import { api, body, idempotencyKey, type Schema } from "~/api/client";
import { NumberField, SelectField } from "~/elements/Field";
import { Loaded, Notice, ProblemNotice } from "~/elements/Notice";
import { Empty, Section } from "~/elements/Page";
import { Progress, StateBadge } from "~/elements/StateBadge";
import { useAction, useResource } from "~/state/resource";
import { dateTime, integer } from "~/text/format";
import { replayText } from "~/text/replay";
import { useJob } from "../live";
import { useEpochs } from "./epochs";
import { ReplayOutcome } from "./ReplayOutcome";
import "./panels.css";

type Job = Schema["JobResource"];
/** Replays that are listed, the latest. */
const SHOWN = 5;

export function ReplayPanel({ job }: { job: Job }) {
  return job.kind === "replay" ? <Outcome job={job} /> : <Replays job={job} />;
}

function Replays({ job }: { job: Job }) {
  const text = replayText();
  const made = useResource(`replays:${job.id}`, async (signal) => {
    const query = { parent: job.id, kind: "replay", view: "brief", page_size: SHOWN } as const;
    return (await body(api.GET("/v1/jobs", { params: { query }, signal }))).items as Schema["JobSummary"][];
  });
  return (
    <>
      <Section title={text.title}>
        <p class="muted">{text.lead}</p>
        {job.progress.epoch > 0 ? <Form job={job} onMade={made.reload} /> : <Empty title={text.nothing} />}
      </Section>
      <Loaded resource={made}>
        {(replays) =>
          replays.length > 0 && (
            <Section title={text.replays}>
              {replays.map(({ id }) => (
                <Replay key={id} id={id} />
              ))}
            </Section>
          )
        }
      </Loaded>
    </>
  );
}

function Form({ job, onMade }: { job: Job; onMade: () => void }) {
  const text = replayText();
  const kept = useEpochs(job);
  const first = job.forked_from?.epoch ?? 0;
  const last = job.progress.epoch;
  const [from, setFrom] = useState(first);
  const [to, setTo] = useState<number | null>(null);
  const beginnings = [...new Set([first, ...(kept.value ?? [])])].filter((epoch) => epoch < last);
  const key = useRef({ body: "", value: "" });
  const start = useAction(async () => {
    const asked = { from_epoch: from, to_epoch: to ?? last };
    const written = JSON.stringify(asked);
    if (key.current.body !== written) key.current = { body: written, value: idempotencyKey() };
    await body(api.POST("/v1/jobs/{job_id}/replay", { params: { path: { job_id: job.id }, header: { "idempotency-key": key.current.value } }, body: asked }));
    key.current = { body: "", value: "" };
    onMade();
  });
  const { problem } = start;
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!start.isBusy) void start.run();
      }}
    >
      {problem && problem.errors.length === 0 && <ProblemNotice problem={problem} />}
      <div class="fields">
        <SelectField
          label={text.from}
          help={text.fromHelp}
          value={String(from)}
          onChange={(value) => setFrom(Number(value))}
          options={beginnings.map((epoch) => ({ value: String(epoch), label: epoch === 0 ? text.before : integer(epoch) }))}
          error={problem?.at("/from_epoch")}
        />
        <NumberField label={text.to} value={to ?? last} min={from + 1} max={last} step={1} onChange={setTo} error={problem?.at("/to_epoch")} />
      </div>
      <button type="submit" class="primary" disabled={start.isBusy}>
        {start.isBusy ? text.starting : text.start}
      </button>
    </form>
  );
}

/** One replay, followed until it is done. */
function Replay({ id }: { id: string }) {
  const text = replayText();
  const { job } = useJob(id);
  return (
    <Loaded resource={job}>
      {(found) => {
        const name = text.replay(dateTime(found.created_at));
        return (
          <article class="card replay">
            <header class="row">
              <a href={`/jobs/${id}`}>{name}</a> <StateBadge state={found.state} />
            </header>
            {!found.done && (
              <p class="muted small">
                <Progress value={found.progress.fraction} label={text.progress(name)} /> {text.epochs(integer(found.progress.epoch), integer(found.progress.epochs))}
              </p>
            )}
            {found.done && <Outcome job={found} />}
          </article>
        );
      }}
    </Loaded>
  );
}

/** What a replay came to. */
function Outcome({ job }: { job: Job }) {
  const text = replayText();
  const result = useResource(job.state === "succeeded" ? `result:${job.id}` : null, (signal) => body(api.GET("/v1/jobs/{job_id}/result", { params: { path: { job_id: job.id } }, signal })));
  if (job.state === "succeeded") return <Loaded resource={result}>{(found) => <ReplayOutcome found={found as Schema["ReplayResult"]} />}</Loaded>;
  return <Notice kind={job.done ? "warning" : "information"}>{job.done ? (job.error?.detail ?? text.ended) : text.waiting}</Notice>;
}
