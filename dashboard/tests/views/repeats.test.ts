import { beforeEach, describe, expect, it } from "vitest";
import { chooseLanguage } from "~/text/language";
import { placeOf } from "~/views/job/panels/ReplayOutcome";
import { aboutsOf, around, bandsOf, coursesOf, jobsOf, requestOf, settingsOf, valuesIn, type Tried } from "~/views/job/panels/repeats";

beforeEach(() => chooseLanguage("en"));

describe("what can be tried", () => {
  const request = { dataset_id: "ds", target: "y", features: ["a"], model: { kind: "mlp", hidden: [{ units: 16 }], bias: true }, optimizer: { kind: "adam", learning_rate: 0.01 }, epochs: 30, early_stopping: null, record: { curves: "epoch" } };
  it("is every setting of one value", () =>
    expect(settingsOf(request)).toEqual([
      { pointer: "/model/bias", value: true },
      { pointer: "/optimizer/learning_rate", value: 0.01 },
      { pointer: "/epochs", value: 30 },
      { pointer: "/early_stopping", value: null },
    ]));
  it("begins around what the job has", () => expect([0.01, 30, true, null, "x", -1].map((value) => around(value))).toEqual(["0.001 0.01 0.1", "30 60 120", "true false", "", "", ""]));
  it("is numbers, words of JSON, or text; with a comma as with a point", () => expect(valuesIn(" 0.1 0,3;1e-4 true null relu ")).toEqual([0.1, 0.3, 0.0001, true, null, "relu"]));
  it("is one thing at a time, and so many jobs", () => {
    const wanted = { what: "seeds", seeds: 4, vary: "weights", shares: "0.1 1", setting: "/epochs", values: "10 20 30" } as const;
    expect(requestOf(wanted)).toEqual({ seeds: 4, vary: "weights" });
    expect(requestOf({ ...wanted, what: "shares" })).toEqual({ seeds: 4, vary: "weights", shares: [0.1, 1] });
    const setting = requestOf({ ...wanted, what: "setting" });
    expect(setting).toEqual({ seeds: 4, vary: "weights", setting: "/epochs", values: [10, 20, 30] });
    expect([jobsOf(requestOf(wanted)), jobsOf(setting)]).toEqual([4, 12]);
  });
});

describe("what a group came to", () => {
  const spread = (mean: number) => ({ count: 3, mean, deviation: 0.5, low: mean - 1, high: mean + 1, interval: [mean - 2, mean + 2] });
  const result = [
    { value: 0.1, jobs: 3, succeeded: 0, metrics: {} },
    { value: 1, jobs: 3, succeeded: 3, metrics: { train_loss: spread(2), validation_loss: spread(3), train_r2: spread(0) } },
  ] as unknown as Tried[];
  it("is a line for each split over the values, with a gap where none succeeded", () => {
    expect(aboutsOf(result)).toEqual(["loss", "r2"]);
    expect(coursesOf(result, "loss", (key) => key)).toEqual([
      { name: "train_loss", x: [0, 1], y: [NaN, 2], min: [NaN, 1], max: [NaN, 3], look: 0 },
      { name: "validation_loss", x: [0, 1], y: [NaN, 3], min: [NaN, 2], max: [NaN, 4], look: 1 },
    ]);
    expect(coursesOf(result, "r2", (key) => key).map(({ name }) => name)).toEqual(["train_r2"]);
  });
  it("is a band a value, to the least and greatest or as wide as the deviation", () => {
    const bands = { series: "train_loss", bands: [{ value: null, epoch: [1, 2], count: [2, 1], mean: [3, 2], deviation: [0.5, null], low: [1, 2], high: [5, 2] }] };
    expect(bandsOf(bands, false, "all runs")).toEqual([{ name: "all runs", x: [1, 2], y: [3, 2], min: [1, 2], max: [5, 2], look: 0 }]);
    expect(bandsOf(bands, true, "all runs")[0]).toMatchObject({ min: [2.5, 2], max: [3.5, 2] });
  });
});

it("says where a replay first differs", () => {
  const difference = { what: "curve", name: "train_loss", at: 12, index: null, then: 1, now: 2 } as const;
  expect(placeOf(difference)).toBe("Loss (training), epoch 12");
  expect(placeOf({ ...difference, what: "weights", name: "theta", index: [3, 4] })).toBe("theta[3, 4], after epoch 12");
});
