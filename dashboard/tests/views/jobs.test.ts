import { describe, expect, it, vi } from "vitest";
import { Problem } from "~/api/problem";
import type { ListEvent } from "~/api/stream";
import { toEach } from "~/views/jobs/bulk";
import { columnsOf, metricKeys } from "~/views/jobs/columns";
import { fits, headline, nextOrder, orderOf, runningTime, shownRows, withEvents, type Asked, type Loaded, type Row } from "~/views/jobs/list";

vi.hoisted(() => {
  globalThis.matchMedia = (() => ({ matches: false, addEventListener: () => {} })) as unknown as typeof matchMedia;
});

const asked = (more: Partial<Asked> = {}): Asked => ({ kind: "", state: "", dataset: "", model: "", tag: "", name: "", order: "-created_at", ...more });
const row = (id: string, more: Partial<Row> = {}): Row =>
  ({ id, kind: "training", name: `Run ${id}`, tags: [], state: "running", done: false, model_kind: "mlp", dataset_id: "ds", created_at: "2026-11-26T07:00:00Z", progress: { epoch: 1 }, best_values: {}, ...more }) as unknown as Row;
const list = (...ids: string[]): Loaded => ({ rows: ids.map((id) => row(id)), total: 10, changed: 0 });
const state = (id: string, more: Partial<Row> = {}): ListEvent => ({ event: "state", data: row(id, more) });

describe("the list", () => {
  it("takes what happened to jobs that it shows", () => {
    const progress = { event: "progress", data: { id: "b", progress: { epoch: 7 } } } as unknown as ListEvent;
    const now = withEvents(list("a", "b", "c"), [progress, state("c", { state: "succeeded", done: true }), { event: "deleted", data: { id: "a" } }], asked());
    expect(now.rows.map((each) => [each.id, each.state, each.progress.epoch])).toEqual([["b", "running", 7], ["c", "succeeded", 1]]);
    expect([now.total, now.changed]).toEqual([9, 0]);
  });
  it("has a new job at its top, once", () => {
    const created = { created_at: "2026-11-26T08:00:00Z" };
    const now = withEvents(list("a"), [state("n", created), state("n", { ...created, state: "cancelled" })], asked());
    expect(now.rows.map((each) => [each.id, each.state])).toEqual([["n", "cancelled"], ["a", "running"]]);
    expect(now.total).toBe(11);
  });
  it("says where what happened is not at its place", () => {
    expect(withEvents(list("a"), [state("n", { created_at: "2026-11-26T08:00:00Z" })], asked({ order: "name" })).changed).toBe(1);
    expect(withEvents(list("a"), [state("o", { created_at: "2026-11-25T08:00:00Z" })], asked()).changed).toBe(1); // it is further down
    expect(withEvents(list("a"), [state("a", { state: "failed" })], asked({ order: "-validation_accuracy" })).changed).toBe(1);
  });
  it("leaves out what it is not asked for, and drops what has gone out of it", () => {
    const running = asked({ state: "running" });
    expect(withEvents(list("a", "b"), [state("a", { state: "paused" }), state("n", { state: "queued" })], running)).toMatchObject({ rows: [{ id: "b" }], total: 9, changed: 0 });
  });
  it("is the same object where nothing changes in it", () => {
    const before = list("a");
    expect(withEvents(before, [{ event: "progress", data: { id: "z" } } as unknown as ListEvent], asked())).toBe(before);
  });
  it("tells no progress of a job that is done", () => {
    const before: Loaded = { rows: [row("a", { done: true, state: "succeeded" })], total: 1, changed: 0 };
    expect(withEvents(before, [{ event: "progress", data: { id: "a", state: "running" } } as unknown as ListEvent], asked())).toBe(before);
  });
});

describe("what is asked for", () => {
  it("is held against a job as the API does", () => {
    const job = row("a", { name: "Ärger 50%", tags: ["week 3"] });
    const repeat = row("r", { kind: "repeat" });
    expect(["", "repeat", "replay", "any"].map((kind) => [fits(job, asked({ kind })), fits(repeat, asked({ kind }))])).toEqual([[true, false], [false, true], [false, false], [true, true]]);
    for (const name of ["ärger", "50%", ""]) expect(fits(job, asked({ name }))).toBe(true);
    expect(fits(job, asked({ tag: "week 3", model: "mlp", dataset: "ds", state: "running" }))).toBe(true);
    for (const other of [{ tag: "week" }, { model: "perceptron" }, { dataset: "d" }, { state: "failed" }, { name: "x" }]) expect(fits(job, asked(other))).toBe(false);
  });
  it("orders the best first, then the other way round", () => {
    expect(nextOrder("-created_at", "validation_accuracy", false)).toBe("-validation_accuracy");
    expect(nextOrder("-validation_accuracy", "validation_accuracy", false)).toBe("validation_accuracy");
    expect(nextOrder("-created_at", "train_loss", true)).toBe("train_loss");
    expect(["-validation_r2", "name", "bad", "--name"].map(orderOf)).toEqual(["-validation_r2", "name", "-created_at", "-created_at"]);
  });
});

describe("what is shown", () => {
  it("is the rows in the window, with some to spare, of however many", () => {
    expect(shownRows(10_000, 40, 4_000, 4_800, 10)).toEqual([90, 130]);
    expect(shownRows(10_000, 40, -200, 600, 10)).toEqual([0, 25]);
    expect(shownRows(3, 40, 0, 800, 10)).toEqual([0, 3]);
    expect(shownRows(5, 40, 9_000, 9_800, 10)).toEqual([5, 5]);
  });
  it("has the metric that it is ordered by, chosen or not", () => {
    expect(columnsOf(["state", "best"], "-created_at").map(({ key }) => key)).toEqual(["state", "name", "best"]);
    expect(columnsOf(["best", "train_loss"], "-validation_r2").map(({ key }) => key)).toEqual(["name", "train_loss", "validation_r2"]);
    expect(metricKeys(["r2"])).toEqual(["validation_loss", "validation_r2", "train_loss", "train_r2"]);
  });
  it("names the value that tells most", () => {
    expect(headline({ train_accuracy: 0.9, validation_loss: 0.2, validation_accuracy: 0.8 })).toEqual(["validation_accuracy", 0.8]);
    expect(headline({ train_r2: 0.5, train_loss: 1 })).toEqual(["train_r2", 0.5]);
    expect(headline({})).toBeUndefined();
  });
  it("counts the time from start to end, or to now", () => {
    expect(runningTime(row("a", { started_at: "2026-11-26T07:00:00Z", finished_at: "2026-11-26T07:00:05Z" }))).toBe(5);
    expect(runningTime(row("a", { started_at: "2026-11-26T07:00:00Z", finished_at: null }), Date.parse("2026-11-26T07:01:00Z"))).toBe(60);
    expect(runningTime(row("a", { started_at: null }))).toBeNull();
  });
});

it("does the same to each, whatever becomes of others", async () => {
  const rows = ["a", "b", "c", "d", "e", "f"].map((id) => row(id));
  const outcome = await toEach(rows, async ({ id }) => {
    if (id === "b") throw new Problem(409, "CONFLICT", "Conflict", "it is done");
  });
  expect(outcome.done.map(({ id }) => id).sort()).toEqual(["a", "c", "d", "e", "f"]);
  expect(outcome.failed.map(({ row: { id }, problem }) => [id, problem.code])).toEqual([["b", "CONFLICT"]]);
});
