/** What can be done with a job in its present state. */
import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { api, body } from "~/api/client";
import { asProblem, type Problem } from "~/api/problem";
import { ask } from "~/elements/Dialog";
import { tell } from "~/elements/Toasts";
import { jobText } from "~/text/job";
import { Fork } from "./Fork";
import type { Job } from "./live";

export type Act = "pause" | "resume" | "cancel" | "fork" | "delete";

/** What the API permits in each state. */
export function permitted(job: Pick<Job, "state" | "done" | "progress" | "checkpoints_removed_at">): Act[] {
  const acts: Act[] = [];
  if (job.state === "running") acts.push("pause");
  if (job.state === "paused") acts.push("resume");
  if (["queued", "running", "pausing", "paused"].includes(job.state)) acts.push("cancel");
  if (job.progress.epoch > 0 && !job.checkpoints_removed_at) acts.push("fork");
  if (job.done) acts.push("delete");
  return acts;
}

interface Props {
  job: Job;
  onChange: (job: Job) => void;
  onProblem: (problem: Problem | undefined) => void;
}

export function Actions({ job, onChange, onProblem }: Props) {
  const text = jobText().actions;
  const { route } = useLocation();
  const [busy, setBusy] = useState<Act | null>(null);
  const [isForking, setForking] = useState(false);
  const params = { path: { job_id: job.id } };
  const name = job.name ?? job.id;

  const acts: Record<Act, () => Promise<void>> = {
    pause: async () => onChange(await body(api.POST("/v1/jobs/{job_id}/pause", { params }))),
    resume: async () => onChange(await body(api.POST("/v1/jobs/{job_id}/resume", { params }))),
    cancel: async () => {
      if (await ask(text.cancelTitle, text.cancelText(name), text.cancelJob)) onChange(await body(api.POST("/v1/jobs/{job_id}/cancel", { params })));
    },
    fork: async () => setForking(true),
    delete: async () => {
      if (!(await ask(text.deleteTitle, text.deleteText(name), text.delete))) return;
      await body(api.DELETE("/v1/jobs/{job_id}", { params }));
      tell(text.deleted(name));
      route("/jobs", true);
    },
  };
  const run = async (act: Act) => {
    setBusy(act);
    onProblem(undefined);
    try {
      await acts[act]();
    } catch (thrown) {
      onProblem(asProblem(thrown));
    }
    setBusy(null);
  };
  return (
    <>
      {permitted(job).map((act) => (
        <button key={act} type="button" class={act === "delete" ? "danger" : ""} disabled={busy !== null} onClick={() => run(act)}>
          {text[act]}
        </button>
      ))}
      <a class="button" href={`/jobs/new?from=${job.id}`}>
        {text.again}
      </a>
      {job.model_id && (
        <a class="button primary" href={`/models/${job.model_id}`}>
          {text.predict}
        </a>
      )}
      {isForking && <Fork job={job} onClose={() => setForking(false)} />}
    </>
  );
}
