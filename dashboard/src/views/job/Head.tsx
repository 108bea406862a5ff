/** How a job goes: progress, best and latest values, where it comes from and what came of it. */
import { api, body } from "~/api/client";
import { Notice } from "~/elements/Notice";
import { Progress } from "~/elements/StateBadge";
import { useResource } from "~/state/resource";
import { dateTime, duration, integer, number, percent } from "~/text/format";
import { jobText } from "~/text/job";
import { seriesName } from "~/text/series";
import type { Job } from "./live";
import { Warnings } from "./Warnings";

/** The losses and metrics among an epoch's values, by what they are of: train and validation side by side. */
export function pairsOf(values: Job["latest"]): { name: string; train: unknown; validation: unknown }[] {
  const names = Object.keys(values).flatMap((key) => /^(?:train|validation)_(.*)$/.exec(key)?.[1] ?? []);
  return [...new Set(names)].map((name) => ({ name, train: values[`train_${name}`], validation: values[`validation_${name}`] }));
}

function Values({ job }: { job: Job }) {
  const text = jobText().head;
  const rows = pairsOf(job.latest);
  if (rows.length === 0) return null;
  const best = job.best ?? {};
  const shown = (value: unknown) => number(value as number | null | undefined);
  const isSame = job.best?.epoch === job.latest.epoch;
  const hasValidation = rows.some((row) => row.validation !== undefined);
  const heads = hasValidation ? [text.train, text.validation] : [text.train];
  return (
    <div class="table-frame">
      <table class="job-values">
        <thead>
          <tr>
            <td />
            {job.best && !isSame && <th colSpan={heads.length} class="number" scope="colgroup">{text.best(integer(Number(job.best.epoch)))}</th>}
            <th colSpan={heads.length} class="number" scope="colgroup">{(isSame ? text.latestAndBest : text.latest)(integer(Number(job.latest.epoch)))}</th>
          </tr>
          <tr>
            <td />
            {[...(job.best && !isSame ? heads : []), ...heads].map((head, k) => <th key={k} class="number" scope="col">{head}</th>)}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, train, validation }) => (
            <tr key={name}>
              <th scope="row">{seriesName(name)}</th>
              {job.best && !isSame && <td class="number">{shown(best[`train_${name}`])}</td>}
              {job.best && !isSame && hasValidation && <td class="number">{shown(best[`validation_${name}`])}</td>}
              <td class="number">{shown(train)}</td>
              {hasValidation && <td class="number">{shown(validation)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Facts({ job }: { job: Job }) {
  const text = jobText().head;
  const dataset = useResource(`dataset-name:${job.dataset_id}`, (signal) => body(api.GET("/v1/datasets/{dataset_id}", { params: { path: { dataset_id: job.dataset_id } }, signal })));
  const target = job.request.target as string | string[] | undefined;
  const { timings } = job;
  const times = (
    [[text.queued, timings.queued_seconds], [text.load, timings.load_seconds], [text.compile, timings.compile_seconds], [text.training, timings.train_seconds]] as const
  ).filter(([, seconds]) => seconds !== null && seconds !== undefined);
  return (
    <dl class="facts">
      <dt>{text.dataset}</dt>
      <dd>
        {dataset.problem?.status === 404 ? <span class="muted">{text.datasetGone}</span> : <a href={`/datasets/${job.dataset_id}`}>{dataset.value?.name ?? job.dataset_id}</a>}
        {target !== undefined && target !== null && <> · {text.target(Array.isArray(target) ? target.join(", ") : target)}</>}
      </dd>
      {job.model_id && (
        <>
          <dt>{text.model}</dt>
          <dd>
            <a href={`/models/${job.model_id}`}>{text.predict}</a>
          </dd>
        </>
      )}
      {job.forked_from && (
        <>
          <dt>{text.forkedFrom}</dt>
          <dd>
            <a href={`/jobs/${job.forked_from.job_id}`}>{text.origin(integer(job.forked_from.epoch))}</a>
          </dd>
        </>
      )}
      {job.parent && job.kind !== "training" && (
        <>
          <dt>{text.about[job.kind]}</dt>
          <dd>
            <a href={`/jobs/${job.parent}?tab=${job.kind}${job.kind === "slice" ? `&slice=${job.id}` : ""}`}>{text.parent}</a>
            {job.group_id && (
              <>
                {" · "}
                <a href={`/jobs/${job.parent}?tab=repeat&group=${job.group_id}`}>{text.group}</a>
              </>
            )}
          </dd>
        </>
      )}
      <dt>{text.parameters}</dt>
      <dd>{job.parameters === null ? text.notKnownYet : integer(job.parameters)}{job.device && ` · ${job.device}`}</dd>
      <dt>{text.created}</dt>
      <dd>{dateTime(job.created_at)}{job.finished_at && ` · ${text.finished(dateTime(job.finished_at))}`}</dd>
      {times.length > 0 && (
        <>
          <dt>{text.times}</dt>
          <dd>{times.map(([name, seconds]) => `${name} ${duration(seconds)}`).join(" · ")}</dd>
        </>
      )}
    </dl>
  );
}

function Standing({ job }: { job: Job }) {
  const text = jobText().head;
  const { progress } = job;
  const parts = [
    text.epochs(integer(progress.epoch), integer(progress.epochs)),
    percent(progress.fraction),
    job.state === "running" && progress.eta_seconds !== null && text.left(duration(progress.eta_seconds)),
    job.queue_position !== null && text.position(integer(job.queue_position)),
    job.attempt > 1 && text.attempt(integer(job.attempt)),
    job.state_reason,
  ].filter(Boolean);
  return (
    <div class="job-progress">
      <Progress value={progress.fraction} label={text.progress} />
      <div class="muted small">{parts.join(" · ")}</div>
    </div>
  );
}

export function Head({ job }: { job: Job }) {
  const text = jobText().head;
  return (
    <>
      {job.error && (
        <Notice kind="error" title={`${job.error.title} (${job.error.code})`} actions={<a class="button" href={`/jobs/new?from=${job.id}`}>{text.tryDifferently}</a>}>
          <p>{job.error.detail}</p>
          {job.error.errors && (
            <ul>
              {job.error.errors.map(({ pointer, detail }) => (
                <li key={pointer}>
                  <code>{pointer}</code> {detail}
                </li>
              ))}
            </ul>
          )}
        </Notice>
      )}
      <Warnings job={job} />
      <div class="job-head">
        <div>
          <Standing job={job} />
          <Values job={job} />
        </div>
        <Facts job={job} />
      </div>
    </>
  );
}
