/** Asks for a comparison, and goes on without the jobs that are gone. */
import { api, body } from "~/api/client";
import { Problem } from "~/api/problem";
import { usualSeries, type Comparison } from "./comparison";

export interface Asked {
  ids: string[];
  series: string[];
  axis: Comparison["axis"];
  smoothing: number;
  range: [number, number] | null;
}

export interface Found {
  comparison: Comparison | null;
  /** Ids in the address that no job has. */
  gone: string[];
}

/** What was found out earlier: the usual curves, by the ids of the jobs, and ids that no job has. */
export interface Memory {
  usual: Map<string, string[]>;
  gone: Set<string>;
}

export async function compare(asked: Asked, memory: Memory, signal: AbortSignal): Promise<Found> {
  const ids = asked.ids.filter((id) => !memory.gone.has(id));
  const found = (comparison: Comparison | null): Found => ({ comparison, gone: asked.ids.filter((id) => memory.gone.has(id)) });
  if (ids.length === 0) return found(null);
  try {
    return found(await withUsual({ ...asked, ids }, memory, signal));
  } catch (thrown) {
    if (!(thrown instanceof Problem) || thrown.status !== 404) throw thrown;
    if (thrown.at("/query/series") !== undefined && asked.series.length > 0) return compare({ ...asked, series: [] }, memory, signal);
    if (thrown.at("/query/jobs") === undefined) throw thrown;
  }
  const there = await Promise.all(ids.map((id) => isThere(id, signal)));
  ids.forEach((id, place) => {
    if (!there[place]) memory.gone.add(id);
  });
  return compare(asked, memory, signal);
}

/** Where no curves are asked for, the usual ones of these jobs are. */
async function withUsual(asked: Asked, { usual }: Memory, signal: AbortSignal): Promise<Comparison> {
  if (asked.series.length > 0) return ask(asked, signal);
  const key = asked.ids.join();
  const found = await ask({ ...asked, series: usual.get(key) ?? [] }, signal);
  const names = usualSeries(found.names);
  usual.set(key, names);
  const isWhole = names.every((name) => found.jobs.some(({ series }) => name in series));
  return isWhole ? found : ask({ ...asked, series: names }, signal);
}

function ask({ ids, series, axis, smoothing, range }: Asked, signal: AbortSignal): Promise<Comparison> {
  const query = {
    jobs: ids.join(","),
    axis,
    ...(series.length > 0 ? { series: series.join(",") } : {}),
    ...(smoothing > 0 ? { smoothing } : {}),
    ...(range ? { from: Math.max(0, range[0]), to: Math.max(0, range[1]) } : {}),
  };
  return body(api.GET("/v1/compare", { params: { query }, signal }));
}

async function isThere(id: string, signal: AbortSignal): Promise<boolean> {
  try {
    await body(api.GET("/v1/jobs/{job_id}", { params: { path: { job_id: id } }, signal }));
    return true;
  } catch (thrown) {
    if (thrown instanceof Problem && thrown.status === 404) return false;
    throw thrown;
  }
}
