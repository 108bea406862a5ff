/** How lessons ask the service: for samples and jobs of their own, made once for a lesson and its seed, and for numbers. */
import { api, body, idempotencyKey, type Schema } from "~/api/client";
import { Problem } from "~/api/problem";
import { watch } from "~/api/stream";
import { digest, drawn } from "./seeded";

export type Job = Schema["JobResource"];
export type Sample = { kind: string } & Record<string, unknown>;

/** A job that a lesson waits for. */
export interface Waited {
  id: string;
  name: string;
  state: string;
  fraction: number;
}

const TAG = "lesson";
const AGAIN_MILLISECONDS = 300;
const MOST_TRIES = 20;

export class Calls {
  /** Draws what the lesson chooses by its seed. */
  readonly draw: () => number;

  constructor(
    readonly seed: number,
    readonly signal: AbortSignal,
    /** Told of each job that is waited for. */
    private readonly told: (job: Waited) => void = () => {},
  ) {
    this.draw = drawn(seed);
  }

  /** The id of the dataset of a sample: the one that a lesson has made of it before, or a new one. */
  async dataset(sample: Sample): Promise<string> {
    const settings = Object.entries(sample).map(([field, value]) => (field === "kind" ? String(value) : `${field} ${value}`));
    const name = `${TAG}: ${settings.join(", ")}`;
    const query = { name, order_by: "created_at", page_size: 100 } as const;
    const { items } = await body(api.GET("/v1/datasets", { params: { query }, signal: this.signal }));
    const found = (items as Schema["DatasetSummary"][]).find((dataset) => dataset.name === name && isOf(dataset.source, sample));
    if (found) return found.id;
    const made = (key: string) => body(api.POST("/v1/samples", { params: { header: { "idempotency-key": key } }, body: { sample, name } as Schema["SampleRequest"], signal: this.signal }));
    return (await this.once(name, made, (id) => body(api.GET("/v1/datasets/{dataset_id}", { params: { path: { dataset_id: id } }, signal: this.signal })))).id;
  }

  /** A job once it has ended: the one that a lesson has submitted with this request before, or a new one. */
  async job(dataset: string, name: string, request: Record<string, unknown>): Promise<Job> {
    const asked = { dataset_id: dataset, ...request };
    const tag = `${TAG} ${digest(JSON.stringify(asked))}`;
    const query = { tag, order_by: "created_at", page_size: 100 } as const;
    const { items } = await body(api.GET("/v1/jobs", { params: { query }, signal: this.signal }));
    const found = (items as Job[]).find(({ state }) => !["cancelled", "cancelling", "failed"].includes(state));
    if (found) return this.ended(found);
    const wanted = { ...asked, name: `${TAG}: ${name}`, tags: [TAG, tag] } as unknown as Schema["JobRequest"];
    const made = (key: string) => body<Job>(api.POST("/v1/jobs", { params: { header: { "idempotency-key": key } }, body: wanted, signal: this.signal }) as never);
    const ask = async (id: string) => {
      const job = await this.latest(id);
      if (job.state !== "succeeded" && job.done) throw new Problem(410, "ENDED", "", "");
      return job;
    };
    return this.ended(await this.once(tag, made, ask));
  }

  private latest(id: string): Promise<Job> {
    return body(api.GET("/v1/jobs/{job_id}", { params: { path: { job_id: id } }, signal: this.signal }));
  }

  /** What a key made, if it is still there; or else made anew. */
  private async once<T extends { id: string }>(name: string, make: (key: string) => Promise<T>, ask: (id: string) => Promise<T>): Promise<T> {
    let key = `${TAG}-${digest(name)}`;
    for (let tries = 1; ; tries++) {
      try {
        return await ask((await make(key)).id);
      } catch (thrown) {
        if (!(thrown instanceof Problem) || tries === MOST_TRIES) throw thrown;
        if (thrown.code === "IDEMPOTENCY_KEY_IN_USE") await new Promise((resolve) => setTimeout(resolve, AGAIN_MILLISECONDS)); // another page makes it just now
        else if ([404, 410].includes(thrown.status)) key = idempotencyKey(); // it was deleted since
        else throw thrown;
      }
    }
  }

  private ended(job: Job): Promise<Job> {
    const name = job.name ?? job.id;
    const tell = (state: string, fraction: number) => this.told({ id: job.id, name, state, fraction });
    return new Promise((resolve, reject) => {
      const settle = (latest: Job) => {
        tell(latest.state, latest.progress.fraction);
        if (!latest.done) return;
        stop();
        if (latest.state === "succeeded") resolve(latest);
        else reject(new Problem(409, "ENDED", `${name}: ${latest.state}`, latest.error?.detail ?? latest.state_reason ?? ""));
      };
      let stop = () => {};
      if (!job.done) {
        stop = watch([{ id: job.id, from: job.event_id }], (event) => {
          if (event.event === "state") settle(event.data);
          else if (event.event === "metric") tell("running", event.data.epoch / job.progress.epochs);
          else if (event.event === "deleted") reject(new Problem(410, "DELETED", name, ""));
        });
        this.signal.addEventListener("abort", () => stop(), { once: true });
      }
      settle(job);
    });
  }
}

/** Whether a dataset was made of that sample, and read as it was made. */
function isOf(source: Record<string, unknown>, sample: Sample): boolean {
  const of = source.sample as Record<string, unknown> | undefined;
  return source.kind === "sample" && Object.keys(source).length === 2 && Object.entries(sample).every(([field, value]) => of?.[field] === value);
}
