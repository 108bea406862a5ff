/** The curves of a job that is followed: asked for once, gone on with by its events; more points of the stretch that is looked at. */
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { asProblem, type Problem } from "~/api/problem";
import { append, coarseness, held, MOST_POINTS, stretch, type Axis, type Curves } from "./curves";
import { EventsOfJob, type Job } from "./live";

const DRAW_MILLISECONDS = 100;
const RETRY_MILLISECONDS = 2_000;
const SETTLE_MILLISECONDS = 150;
/** Curves of batches are not told by events: they are asked for again that often while the job runs. */
const BATCHES_MILLISECONDS = 15_000;

export interface Shown {
  curves: Curves;
  units: Record<string, string>;
}

interface Asked {
  axis: Axis;
  beta: number;
}

function ask(id: string, { axis, beta }: Asked, more: { series?: string; from_step?: number; to_step?: number; max_points?: number }, signal: AbortSignal): Promise<Schema["Curves"]> {
  const query = { max_points: MOST_POINTS, axis, ...(beta > 0 ? { smoothing: beta } : {}), ...more };
  return body(api.GET("/v1/jobs/{job_id}/curves", { params: { path: { job_id: id }, query }, signal })) as Promise<Schema["Curves"]>;
}

export const isOfBatches = (name: string): boolean => name.startsWith("batch_");

/** The whole of each curve; asked for anew where the job has gone back to a checkpoint (another attempt). */
export function useCurves(job: Job, asked: Asked): { shown: Shown | undefined; problem: Problem | undefined } {
  const listen = useContext(EventsOfJob);
  const [shown, setShown] = useState<Shown>();
  const [problem, setProblem] = useState<Problem>();
  const [round, setRound] = useState(0);
  const { axis, beta } = asked;

  useEffect(() => {
    const abort = new AbortController();
    const early: Schema["MetricEvent"][] = [];
    let found: Shown | undefined;
    let draw: ReturnType<typeof setTimeout> | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    const drawSoon = () => {
      draw ??= setTimeout(() => {
        draw = undefined;
        if (found) setShown({ ...found, curves: copied(found.curves) });
      }, DRAW_MILLISECONDS);
    };
    const stop = listen((event) => {
      if (event.event !== "metric") return;
      if (!found) early.push(event.data);
      else if (append(found.curves, event.data, axis, beta)) drawSoon();
    });
    ask(job.id, { axis, beta }, {}, abort.signal).then(
      (answer) => {
        found = { curves: held(answer), units: answer.units ?? {} };
        for (const told of early) append(found.curves, told, axis, beta);
        setProblem(undefined);
        setShown({ ...found, curves: copied(found.curves) });
      },
      (thrown) => {
        if (abort.signal.aborted) return;
        setProblem(asProblem(thrown));
        if (asProblem(thrown).code === "UNREACHABLE") again = setTimeout(() => setRound((count) => count + 1), RETRY_MILLISECONDS);
      },
    );
    return () => {
      abort.abort();
      stop();
      clearTimeout(draw);
      clearTimeout(again);
    };
  }, [job.id, job.attempt, axis, beta, round]);

  const hasBatches = shown !== undefined && Object.keys(shown.curves).some(isOfBatches);
  useEffect(() => {
    if (!hasBatches || job.done) return;
    const timer = setInterval(() => {
      if (!document.hidden) setRound((count) => count + 1);
    }, BATCHES_MILLISECONDS);
    return () => clearInterval(timer);
  }, [hasBatches, job.done]);

  return { shown, problem };
}

/** The same curves in arrays of their own, so that what is drawn does not change under the chart. */
function copied(curves: Curves): Curves {
  return Object.fromEntries(
    Object.entries(curves).map(([name, curve]) => [
      name,
      { ...curve, step: [...curve.step], x: [...curve.x], value: [...curve.value], min: [...curve.min], max: [...curve.max], smoothed: curve.smoothed && [...curve.smoothed] },
    ]),
  );
}

/** More points of the stretch that is shown; what was there before stays until they come. */
export function useDetail(job: Job, asked: Asked, whole: Curves | undefined, range: readonly [number, number] | null): Curves {
  const [detail, setDetail] = useState<Curves>({});
  const latest = useRef(whole);
  latest.current = whole;
  const { axis, beta } = asked;
  const isThere = whole !== undefined;
  const bounds = range?.join();
  useEffect(() => setDetail({}), [job.id, axis, beta]);
  useEffect(() => {
    const curves = latest.current;
    if (!range || !curves) {
      setDetail({});
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      const kinds = [true, false].map((batches) => Object.keys(curves).filter((name) => isOfBatches(name) === batches && coarseness(curves[name] as Curves[string]) > 1));
      const parts = kinds.filter((names) => names.length > 0).map((names) => {
        const [from_step, to_step] = stretch(curves[names[0] as string] as Curves[string], range);
        return ask(job.id, { axis, beta }, { series: names.join(), from_step, to_step, max_points: 2 * MOST_POINTS }, abort.signal);
      });
      try {
        const found = await Promise.all(parts);
        setDetail(Object.assign({}, ...found.map(held)) as Curves);
      } catch {
        // what is shown stays: the curves are there, with fewer points
      }
    }, SETTLE_MILLISECONDS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [job.id, axis, beta, bounds, isThere]);
  return detail;
}
