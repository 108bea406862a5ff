/** Which epochs of a job have their weights kept. */
import { useEffect, useRef } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { completed } from "~/api/completed";
import { useResource, type Resource } from "~/state/resource";

const PAGES = 10;
const PAGE = 1000;

async function load(job_id: string, signal: AbortSignal): Promise<number[]> {
  const epochs: number[] = [];
  let page_token: string | undefined;
  for (let page = 0; page < PAGES; page++) {
    const found = await body(api.GET("/v1/jobs/{job_id}/checkpoints", { params: { path: { job_id }, query: { page_size: PAGE, page_token } }, signal }));
    epochs.push(...found.items.map((checkpoint) => checkpoint.epoch));
    if (!found.next_page_token) break;
    page_token = found.next_page_token;
  }
  return [...new Set(epochs)].sort((a, b) => a - b);
}

/** The epochs whose weights are kept, ascending, the latest ten thousand; asked again when a running job may have kept another one. */
export function useEpochs(job: Schema["JobResource"]): Resource<number[]> {
  const every = completed(job).record.checkpoint_every ?? 10;
  const round = job.done ? "done" : Math.floor(job.progress.epoch / Math.max(1, every));
  return useAskedAgain(useResource(`checkpoints:${job.id}`, (signal) => load(job.id, signal)), round);
}

/** The resource, asked for again whenever `round` changes; meanwhile it shows what it had. */
export function useAskedAgain<T>(resource: Resource<T>, round: string | number): Resource<T> {
  const asked = useRef(round);
  useEffect(() => {
    if (asked.current !== round) resource.reload();
    asked.current = round;
  }, [round]);
  return resource;
}
