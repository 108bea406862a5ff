/** The jobs that a lesson waits for, and how far they have come. */
import { useEffect, useState } from "preact/hooks";
import { Progress } from "~/elements/StateBadge";
import { appText } from "~/text/app";
import { lessonsText } from "~/text/lessons";
import type { Waited } from "./calls";

/** Those that have not ended, and how to tell of one; begun anew with each `key`. */
export function useWaited(key: unknown): [Waited[], (job: Waited) => void] {
  const [jobs, setJobs] = useState<Waited[]>([]);
  useEffect(() => setJobs([]), [key]);
  const tell = (job: Waited) => setJobs((before) => [...before.filter(({ id }) => id !== job.id), job]);
  return [jobs.filter(({ state }) => state !== "succeeded"), tell];
}

export function Waiting({ jobs }: { jobs: Waited[] }) {
  const text = lessonsText();
  if (jobs.length === 0) return <p class="waiting" aria-busy="true">{appText().loading}</p>;
  return (
    <div aria-busy="true">
      {jobs.map(({ id, name, state, fraction }) => (
        <p key={id} class="waiting-for">
          <a href={`/jobs/${id}`}>{text.waiting(name)}</a> <span class="muted">{(appText().states as Record<string, string>)[state] ?? state}</span>
          <Progress value={fraction} label={text.waiting(name)} />
        </p>
      ))}
    </div>
  );
}
