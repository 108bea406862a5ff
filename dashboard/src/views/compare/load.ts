/** Asks for a comparison, and goes on without the jobs that are gone. */
import { api, body } from "~/api/client";
import { Problem } from "~/api/problem";
import type { Comparison } from "./comparison";

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

export async function compare(asked: Asked, signal: AbortSignal): Promise<Found> {
  try {
    return { comparison: await ask(asked, signal), gone: [] };
  } catch (thrown) {
    if (!(thrown instanceof Problem) || thrown.status !== 404) throw thrown;
    if (thrown.at("/query/series") !== undefined && asked.series.length > 0) return compare({ ...asked, series: [] }, signal);
    if (thrown.at("/query/jobs") === undefined) throw thrown;
  }
  const there = await Promise.all(asked.ids.map((id) => isThere(id, signal)));
  const ids = asked.ids.filter((_, place) => there[place]);
  if (ids.length === asked.ids.length) return compare(asked, signal); // it was there again
  const { comparison } = ids.length > 0 ? await compare({ ...asked, ids }, signal) : { comparison: null };
  return { comparison, gone: asked.ids.filter((_, place) => !there[place]) };
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
