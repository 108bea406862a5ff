import { beforeEach, describe, expect, it } from "vitest";
import { chooseLanguage } from "~/text/language";
import { permitted } from "~/views/job/Actions";
import { tagsIn } from "~/views/job/Describe";
import { pairsOf } from "~/views/job/Head";
import { inLanguage, newer, withEpoch, type Job } from "~/views/job/live";
import { withNewest } from "~/views/job/panels/LogPanel";
import { flat, written } from "~/views/job/panels/SettingsPanel";
import { advised, formLike } from "~/views/job/Warnings";

beforeEach(() => chooseLanguage("en"));

const job = (more: object = {}): Job =>
  ({ state: "running", done: false, attempt: 1, event_id: 10, progress: { epoch: 5, epochs: 20, fraction: 0.25, eta_seconds: 3 }, latest: { epoch: 5, train_loss: 1 }, ...more }) as unknown as Job;

describe("a job that is followed", () => {
  it("takes an epoch's values", () => {
    expect(withEpoch(job(), { epoch: 6, train_loss: 0.5 } as never)).toMatchObject({ latest: { train_loss: 0.5 }, progress: { epoch: 6, fraction: 0.3 } });
  });
  it("is not put back by an older answer", () => {
    const now = withEpoch(job(), { epoch: 8, train_loss: 0.4 } as never);
    expect(newer(now, job({ event_id: 9, state: "queued" }))).toBe(now);
    expect(newer(now, job({ event_id: 11, best: { epoch: 7 } }))).toMatchObject({ best: { epoch: 7 }, latest: { epoch: 8 }, progress: { epoch: 8 } });
  });
  it("goes back where its worker was lost, and ends where it ended", () => {
    const now = withEpoch(job(), { epoch: 8 } as never);
    expect(newer(now, job({ event_id: 12, attempt: 2 })).progress.epoch).toBe(5);
    expect(newer(now, job({ event_id: 12, done: true, state: "cancelled" })).progress.epoch).toBe(5);
  });
});

describe("actions", () => {
  it.each([
    ["queued", 0, ["cancel"]],
    ["running", 3, ["pause", "cancel", "fork"]],
    ["pausing", 3, ["cancel", "fork"]],
    ["paused", 3, ["resume", "cancel", "fork"]],
    ["cancelling", 3, ["fork"]],
    ["failed", 0, ["delete"]],
    ["succeeded", 3, ["fork", "delete"]],
  ])("when %s at epoch %d", (state, epoch, acts) => {
    const done = ["succeeded", "failed", "cancelled"].includes(state);
    expect(permitted({ state, done, progress: { epoch }, checkpoints_removed_at: null } as never)).toEqual(acts);
  });
});

describe("a warning's advice", () => {
  it.each([
    ["It has risen. Set preprocessing.scaling to standard", { preprocessing: { scaling: "standard" } }],
    ["A perda subiu. Defina preprocessing.target_scaling como standard", { preprocessing: { target_scaling: "standard" } }],
    ["Set optimizer.learning_rate to 0.001 or lower, or regularization.clip_norm to 1", { optimizer: { learning_rate: 0.001 } }],
    ["Set lower penalties in regularization, or optimizer.learning_rate to 1e-05 or lower", { optimizer: { learning_rate: 1e-5 } }],
    ["if it still diverges, optimizer.learning_rate to 0.03.", { optimizer: { learning_rate: 0.03 } }],
    ["Train for more epochs, with another learning rate, or with other features", null],
  ])("%s", (detail, change) => expect(advised(detail)).toEqual(change));
  it("leads to the form with the change", () => {
    const address = new URL(formLike({ id: "job_1", request: { optimizer: { kind: "adam" } } }, { optimizer: { learning_rate: 0.001 } }), "http://here");
    expect([...address.searchParams]).toEqual([["from", "job_1"], ["set", '{"optimizer":{"kind":"adam","learning_rate":0.001}}']]);
    expect(formLike({ id: "job_1", request: {} }, null)).toBe("/jobs/new?from=job_1");
  });
});

it("puts train and validation side by side", () => {
  expect(pairsOf({ epoch: 1, train_loss: 1, validation_loss: 2, train_r2: 0.5, seconds: 3 })).toEqual([
    { name: "loss", train: 1, validation: 2 },
    { name: "r2", train: 0.5, validation: undefined },
  ]);
});

it("reads tags, each once", () => expect(tagsIn(" week 3, baseline ,, week 3")).toEqual(["week 3", "baseline"]));

it("writes settings for people", () => {
  expect([null, true, 0.001, ["a", "b"], { kind: "l2", by: 3 }].map(written)).toEqual(["none", "yes", "0.001", "a, b", "kind: l2, by: 3"]);
  expect(flat({ kind: "mlp", initializer: { kind: "he_normal" }, bias: true })).toEqual([["kind", "mlp"], ["initializer.kind", "he_normal"], ["bias", true]]);
});

it("puts the newest of a log before what was there, without doubles", () => {
  const entry = (at: string, message: string | null = null) => ({ at, kind: "message" as const, epoch: 1, state: null, message });
  const before = [entry("2026-01-03", "c"), entry("2026-01-02", "b"), entry("2026-01-01", "a")];
  const newest = [entry("2026-01-04", "d"), entry("2026-01-03", "c")];
  expect(withNewest(before, newest).map(({ message }) => message)).toEqual(["d", "c", "b", "a"]);
});

it("keeps warnings in the reader's language, for events tell them in English", () => {
  const before = { warnings: [{ code: "A", detail: "em português" }] } as unknown as Job;
  const told = { warnings: [{ code: "A", detail: "in English" }] } as unknown as Job;
  chooseLanguage("pt-BR");
  expect(inLanguage(before, told).warnings).toBe(before.warnings);
  chooseLanguage("en");
  expect(inLanguage(before, told)).toBe(told);
});
