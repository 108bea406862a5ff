/** A job that is followed: the resource, kept up to date by its events, and the events for whoever else draws them. */
import { createContext } from "preact";
import { useCallback, useEffect, useRef } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { watch, type JobEvent, type Listener } from "~/api/stream";
import { useResource, type Resource } from "~/state/resource";
import { language } from "~/text/language";

export type Job = Schema["JobResource"];
/** Have a listener told each event of the job; ends with the function that it returns. */
export type Listen = (listener: Listener) => () => void;
export const EventsOfJob = createContext<Listen>(() => () => {});

/** Epochs may come faster than a page can be drawn. */
const DRAW_MILLISECONDS = 100;
/** What events do not tell (time left, best epoch) is asked for that often while the job runs. */
const REFRESH_MILLISECONDS = 5_000;

/** The job once an epoch's values have come. */
export function withEpoch(job: Job, values: Schema["MetricEvent"]): Job {
  const { progress } = job;
  const fraction = Math.max(progress.fraction, Math.min(1, values.epoch / progress.epochs));
  return { ...job, latest: values as Job["latest"], progress: { ...progress, epoch: values.epoch, fraction } };
}

/** The newer of two states of a job, of which either may have been under way longer; epochs that were told stay told. */
export function newer(before: Job | undefined, found: Job): Job {
  if (!before) return found;
  if (found.event_id < before.event_id) return before;
  const isBehind = found.attempt === before.attempt && !found.done && found.progress.epoch < before.progress.epoch;
  return isBehind ? { ...found, latest: before.latest, progress: { ...found.progress, epoch: before.progress.epoch } } : found;
}

/** Events are in English, for all readers share them: warnings stay as they were until they are asked for in the reader's language. */
export function inLanguage(before: Job | undefined, told: Job): Job {
  return language.peek() === "en" || !before ? told : { ...told, warnings: before.warnings };
}

export function useJob(id: string): { job: Resource<Job>; listen: Listen } {
  const ask = (signal?: AbortSignal) => body(api.GET("/v1/jobs/{job_id}", { params: { path: { job_id: id } }, signal }));
  const job = useResource(`job:${id}`, ask);
  const listeners = useRef(new Set<Listener>());
  const listen = useCallback<Listen>((listener) => {
    listeners.current.add(listener);
    return () => listeners.current.delete(listener);
  }, []);
  const isKnown = job.value !== undefined;
  const isDone = job.value?.done ?? true;
  const state = job.value?.state;

  useEffect(() => {
    if (!isKnown || isDone) return;
    let epoch: Schema["MetricEvent"] | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      timer = undefined;
      const values = epoch;
      if (values) job.set((before) => before && withEpoch(before, values));
      epoch = null;
    };
    const take = (event: JobEvent) => {
      if (event.event === "metric") {
        epoch = event.data;
        timer ??= setTimeout(draw, DRAW_MILLISECONDS);
      } else if (event.event === "state") {
        draw();
        job.set((before) => newer(before, inLanguage(before, event.data)));
        if (event.data.warnings.length > 0 && language.peek() !== "en") ask().then((found) => job.set((before) => newer(before, found)), () => {});
      } else if (event.event === "deleted") job.reload();
      for (const listener of listeners.current) listener(event);
    };
    const stop = watch([{ id, from: job.value?.event_id }], take);
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [id, isKnown, isDone]);

  useEffect(() => {
    if (state !== "running") return;
    const timer = setInterval(() => {
      if (!document.hidden) ask().then((found) => job.set((before) => newer(before, found)), () => {}); // the next try may reach it
    }, REFRESH_MILLISECONDS);
    return () => clearInterval(timer);
  }, [id, state]);

  return { job, listen };
}
