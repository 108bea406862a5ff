/**
 * Events as they happen. A browser opens six connections to a host and no more, so a page has one stream for all the jobs that its
 * parts watch, and one for the list of jobs where it shows that.
 */
import { computed, type ReadonlySignal } from "@preact/signals";
import type { Schema } from "./client";
import { Source, type Connection } from "./source";

export type { Connection };
export type JobEvent =
  | { event: "state"; jobId: string; id: string; data: Schema["JobResource"] }
  | { event: "metric"; jobId: string; id: string; data: Schema["MetricEvent"] }
  | { event: "log"; jobId: string; id: string; data: Schema["LogEvent"] }
  | { event: "deleted"; jobId: string; id: string; data: object };
export type Listener = (event: JobEvent) => void;
export type ListEvent =
  | { event: "state"; data: Schema["JobSummary"] }
  | { event: "progress"; data: Pick<Schema["JobSummary"], "id" | "state" | "progress" | "latest" | "best" | "best_values"> }
  | { event: "deleted"; data: { id: string } }
  /** From here on everything is told: the list is to be read now. */
  | { event: "reset"; data: object };
export type ListListener = (event: ListEvent) => void;

interface Watcher {
  /** By job, the event id up to which it has been told. */
  places: Map<string, number>;
  listener: Listener;
}

/** The stream of jobs that parts of the page watch. Which jobs they are may change: it is opened anew at each one's place. */
class JobsSource {
  private readonly watchers = new Set<Watcher>();
  /** The jobs of the open stream, in its order. */
  private order: string[] = [];
  private places = new Map<string, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  readonly source = new Source(
    ["state", "metric", "log", "deleted"],
    () => `/v1/events?jobs=${this.order.map((id) => `${id}:${this.places.get(id) ?? 0}`).join(",")}`,
    (kind, data, lastEventId) => this.take(kind as JobEvent["event"], data as { job_id: string }, lastEventId),
  );

  watch(jobs: { id: string; from?: number | string }[], listener: Listener): () => void {
    const watcher = { places: new Map(jobs.map(({ id, from }) => [id, Number(from ?? 0)])), listener };
    this.watchers.add(watcher);
    this.settle();
    return () => {
      this.watchers.delete(watcher);
      this.settle();
    };
  }

  /** Parts of a page come and go together: the stream follows once all have. */
  private settle(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const wanted = new Map<string, number>();
      for (const { places } of this.watchers) {
        for (const [id, place] of places) wanted.set(id, Math.min(place, wanted.get(id) ?? Infinity));
      }
      if (wanted.size === 0) {
        this.order = [];
        this.source.close();
        return;
      }
      const isServed = this.source.isOpen && [...wanted].every(([id, place]) => this.order.includes(id) && place >= (this.places.get(id) ?? 0));
      if (isServed) return;
      this.order = [...wanted.keys()];
      this.places = wanted;
      this.source.open();
    }, 0);
  }

  private take(event: JobEvent["event"], { job_id: jobId, ...data }: { job_id: string }, lastEventId: string): void {
    const told = lastEventId.split(".")[1 + this.order.indexOf(jobId)];
    const place = told === undefined || told === "x" ? Infinity : Number(told); // x: the job is gone
    this.places.set(jobId, place === Infinity ? (this.places.get(jobId) ?? 0) : place);
    for (const { places, listener } of [...this.watchers]) {
      const before = places.get(jobId);
      if (before === undefined || place <= before) continue;
      if (event === "deleted") places.delete(jobId);
      else places.set(jobId, place);
      listener({ event, jobId, id: told ?? "", data } as JobEvent);
    }
  }
}

/** The stream of all jobs that the reader sees. */
class ListSource {
  private readonly listeners = new Set<ListListener>();
  private place = "";
  readonly source = new Source(
    ["state", "progress", "deleted", "reset"],
    () => `/v1/events${this.place && `?from=${this.place}`}`,
    (kind, data, lastEventId) => {
      this.place = lastEventId || this.place;
      this.tell({ event: kind, data } as ListEvent);
    },
    () => {
      if (!this.place) this.tell({ event: "reset", data: {} }); // nothing was told before: what changed meanwhile is in the list
    },
  );

  watch(listener: ListListener): () => void {
    this.listeners.add(listener);
    if (!this.source.isOpen) {
      this.place = "";
      this.source.open();
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.source.close();
    };
  }

  private tell(event: ListEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }
}

const ofJobs = new JobsSource();
const ofList = new ListSource();
const WORST: Connection[] = ["lost", "connecting", "live", "idle"];

/** How the page's streams stand; where there are two, the one that stands worse. */
export const connection: ReadonlySignal<Connection> = computed(() => {
  const states = [ofJobs.source.state.value, ofList.source.state.value];
  return WORST.find((state) => states.includes(state)) as Connection;
});

/**
 * Tell `listener` what happens to the jobs, until the returned function is called: from the first event on, or after the one with
 * the id `from`, such as the `event_id` of a job or its curves. A page may watch up to 100 jobs.
 */
export function watch(jobs: { id: string; from?: number | string }[], listener: Listener): () => void {
  return ofJobs.watch(jobs, listener);
}

/** Tell `listener` what the list of jobs shows otherwise from now on, until the returned function is called. */
export function watchAll(listener: ListListener): () => void {
  return ofList.watch(listener);
}
