import { describe, expect, it } from "vitest";
import { bestOf, cautionOf, columnsOf, idsOf, linesOf, namesOf, offered, pathOf, rangeOf, rowsOf, shownSeries, usualSeries, written, type Compared } from "~/views/compare/comparison";

const compared = (id: string, best: Record<string, unknown> | null, rest: object = {}) =>
  ({ job: { id, name: null, model_kind: "mlp" }, metrics: { best, final: null, last: best ?? {} }, series: {}, units: {}, table_sha256: "a", ...rest }) as unknown as Compared;
const curve = (x: number[], value: unknown[], smoothed: number[] | null = null) => ({ x, step: x, value, min: value, max: value, smoothed, smoothed_weight: null });

describe("ids in an address", () => {
  it.each([
    ["", []],
    ["a, b,,a", ["a", "b"]],
    [Array.from({ length: 30 }, (_, k) => `j${k}`).join(), Array.from({ length: 20 }, (_, k) => `j${k}`)],
  ])("%s", (query, ids) => expect(idsOf(query)).toEqual(ids));
});

describe("a stretch in an address", () => {
  it.each([["1:2.5", [1, 2.5]], ["2:1", null], ["", null], ["a:b", null], ["3", null]])("%s", (query, range) => expect(rangeOf(query)).toEqual(range));
});

describe("names of jobs", () => {
  it("tells those apart that are called the same", () => {
    const jobs = [
      { id: "job_1234567", name: "wide", model_kind: "mlp" },
      { id: "job_7654321", name: "wide", model_kind: "mlp" },
      { id: "job_0000001", name: null, model_kind: "mlp" },
      { id: "job_0000002", name: "deep", model_kind: "mlp" },
    ];
    expect([...namesOf(jobs).values()]).toEqual(["wide · 234567", "wide · 654321", "mlp · 000001", "deep"]);
  });
});

describe("curves", () => {
  const names = ["gradient_norm", "seconds", "train_accuracy", "train_loss", "validation_accuracy", "validation_loss"];
  it("are offered losses first", () =>
    expect(offered(names)).toEqual(["validation_loss", "train_loss", "validation_accuracy", "train_accuracy", "gradient_norm"]));
  it.each([
    [names, ["validation_loss", "validation_accuracy"]],
    [["train_loss", "train_r2"], ["train_loss", "train_r2"]],
    [["mistakes"], []],
    [[], []],
  ])("of %s usually show %s", (there, usual) => expect(usualSeries(there)).toEqual(usual));
  it("are those chosen, as far as they are there", () => {
    expect(shownSeries(["train_loss", "gone"], names)).toEqual(["train_loss"]);
    expect(shownSeries(["gone"], names)).toEqual(["validation_loss", "validation_accuracy"]);
  });
  const jobs = [
    compared("a", null, { series: { loss: curve([1, 2], [0.5, "NaN"], [0.5, 0.4]) } }),
    compared("b", null),
    compared("c", null, { series: { loss: curve([1], [3]) } }),
  ];
  const called = new Map([["a", "one"], ["b", "two"], ["c", "three"]]);
  it("have the colour of their job's place, whether or not others have the curve", () => {
    expect(linesOf(jobs, "loss", called, false)).toEqual([
      { name: "one", x: [1, 2], y: [0.5, NaN], look: 0 },
      { name: "three", x: [1], y: [3], look: 2 },
    ]);
    expect(linesOf(jobs, "loss", called, true)[0]?.y).toEqual([0.5, 0.4]);
  });
  it("are kept as a table with a point a row", () => {
    const words = { job: "job", id: "id", value: "loss" };
    expect(rowsOf(jobs, "loss", "Epoch", called, words)).toEqual({
      columns: ["job", "id", "Epoch", "loss"],
      rows: [["one", "a", 1, 0.5], ["one", "a", 2, "NaN"], ["three", "c", 1, 3]],
    });
  });
});

describe("metrics", () => {
  const jobs = [
    compared("a", { epoch: 3, train_loss: 2, validation_loss: 1, validation_r2: 0.5 }),
    compared("b", { epoch: 9, train_loss: 1, validation_loss: 1, validation_r2: "NaN" }),
    compared("c", { epoch: 1, train_loss: 3, validation_loss: 4, validation_r2: 0.9 }),
    compared("d", null),
  ];
  it("have a column each, validation first, the epoch aside", () => expect(columnsOf(jobs, "best")).toEqual(["validation_loss", "validation_r2", "train_loss"]));
  it.each([
    ["train_loss", false, ["b"]],
    ["validation_loss", false, ["a", "b"]],
    ["validation_r2", true, ["c"]],
    ["absent", true, []],
  ])("%s is best of %s", (name, isHigherBetter, ids) => expect([...bestOf(jobs, "best", name, isHigherBetter)]).toEqual(ids));
  it("have no best where all are the same, or there is one", () => {
    expect(bestOf(jobs.slice(0, 2), "best", "validation_loss", false).size).toBe(0);
    expect(bestOf(jobs.slice(0, 1), "best", "train_loss", false).size).toBe(0);
  });
});

describe("settings", () => {
  it.each([["/optimizer/learning_rate", "optimizer.learning_rate"], ["/model/hidden/0", "model.hidden.0"], ["/class_weight/a~1b~0", "class_weight.a/b~"]])("%s", (pointer, path) =>
    expect(pathOf(pointer)).toBe(path),
  );
  it.each([["adam", "adam"], [0.1, "0.1"], [null, "null"], [{ units: 2 }, '{"units":2}']])("%s", (value, text) => expect(written(value)).toBe(text));
});

describe("numbers that cannot be compared", () => {
  const differs = (pointer: string) => ({ pointer, values: {} });
  const alike = [compared("a", {}), compared("b", {})];
  it.each([
    ["", { jobs: alike, settings: [differs("/optimizer/kind")] }, { tables: false, splits: false, losses: false }],
    ["tables", { jobs: [compared("a", {}), compared("b", {}, { table_sha256: "b" })], settings: [] }, { tables: true, splits: false, losses: false }],
    ["a table that is gone", { jobs: [compared("a", {}), compared("b", {}, { table_sha256: null })], settings: [] }, { tables: false, splits: false, losses: false }],
    ["splits", { jobs: alike, settings: [differs("/split/seed")] }, { tables: false, splits: true, losses: false }],
    ["losses", { jobs: alike, settings: [differs("/loss/kind")] }, { tables: false, splits: false, losses: true }],
    ["units", { jobs: [compared("a", {}), compared("b", {}, { units: { train_loss: "target" } })], settings: [] }, { tables: false, splits: false, losses: true }],
  ])("%s", (_, given, expected) => expect(cautionOf(given)).toEqual(expected));
});
