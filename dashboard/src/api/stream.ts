/** Events of jobs as they happen. */
import { signal } from "@preact/signals";
import type { Schema } from "./client";

export type JobEvent =
  | { event: "state"; jobId: string; id: string; data: Schema["JobResource"] }
  | { event: "metric"; jobId: string; id: string; data: Schema["MetricEvent"] }
  | { event: "log"; jobId: string; id: string; data: Schema["LogEvent"] };
export type Listener = (event: JobEvent) => void;
export type Connection = "idle" | "connecting" | "live" | "lost";

/** How the page's stream stands. */
export const connection = signal<Connection>("idle");

const KINDS = ["state", "metric", "log"] as const;

/** Tell `listener` what happens to the jobs from now on (`from`: an `event_id` of a job), until the returned function is called. */
export function watch(jobs: { id: string; from?: number | string }[], listener: Listener): () => void {
  const sources = jobs.map(({ id, from }) => {
    const source = new EventSource(`/v1/jobs/${id}/events${from === undefined ? "" : `?from=${from}`}`);
    connection.value = "connecting";
    source.onopen = () => (connection.value = "live");
    source.onerror = () => (connection.value = source.readyState === EventSource.CLOSED ? "idle" : "lost");
    for (const kind of KINDS) {
      source.addEventListener(kind, (message) => {
        const { data, lastEventId } = message as MessageEvent<string>;
        listener({ event: kind, jobId: id, id: lastEventId, data: JSON.parse(data) } as JobEvent);
      });
    }
    return source;
  });
  return () => {
    for (const source of sources) source.close();
    connection.value = "idle";
  };
}
