import { describe, expect, it } from "vitest";
import { append, chartsOf, halved, held, isSampled, MOST_POINTS, nextX, stretch, withDetail, type Curves, type Held } from "~/views/job/curves";

const curve = (value: number[], more: Partial<Held> = {}): Held => ({
  step: value.map((_, k) => k + 1),
  x: value.map((_, k) => k + 1),
  value,
  min: [...value],
  max: [...value],
  smoothed: null,
  weight: 0,
  ...more,
});

describe("curves of the API", () => {
  it("are numbers: null is a gap, and what is not finite comes as text", () => {
    const given = { step: [1, 2, 3], value: [1, null, "Infinity"], min: [1, null, "Infinity"], max: [1, null, "Infinity"], smoothed: [1, 1, 1], smoothed_weight: 0.81 };
    const { loss } = held({ series: { loss: given }, sampling: { method: "none", total: 3, returned: 3, exact: true }, event_id: 1, units: {} } as never);
    expect(loss?.value).toEqual([1, NaN, Infinity]);
    expect(loss?.weight).toBe(0.81);
    expect(isSampled(loss as Held)).toBe(false);
  });
});

describe("what events append", () => {
  it("is a point of its own, once", () => {
    const curves: Curves = { train_loss: curve([3, 2]) };
    expect(append(curves, { epoch: 2, train_loss: 2 } as never, "epoch", 0)).toBe(false);
    expect(append(curves, { epoch: 3, train_loss: 1, validation_loss: null } as never, "epoch", 0)).toBe(true);
    expect(curves.train_loss).toMatchObject({ step: [1, 2, 3], value: [3, 2, 1], min: [3, 2, 1] });
    expect(curves.validation_loss).toMatchObject({ step: [3], value: [NaN] });
  });
  it("goes on with the average over every point", () => {
    const beta = 0.9;
    const values = Array.from({ length: 60 }, (_, k) => Math.sin(k) + k / 20);
    const defined = (last: number) => {
      const weights = values.slice(0, last).map((_, k) => beta ** (last - 1 - k));
      const weight = weights.reduce((a, b) => a + b);
      return { weight, value: weights.reduce((sum, w, k) => sum + w * (values[k] as number), 0) / weight };
    };
    const begun = defined(20);
    const curves: Curves = { a: curve(values.slice(0, 20), { smoothed: new Array<number>(20).fill(begun.value), weight: begun.weight }) };
    for (let epoch = 21; epoch <= 60; epoch++) append(curves, { epoch, a: values[epoch - 1] } as never, "epoch", beta);
    expect(curves.a?.smoothed?.at(-1)).toBeCloseTo(defined(60).value, 12);
    expect(curves.a?.weight).toBeCloseTo(defined(60).weight, 12);
  });
  it("lets a gap fade, without a jump", () => {
    const curves: Curves = { a: curve([1, 3], { smoothed: [1, 2], weight: 1.5 }) };
    append(curves, { epoch: 3, a: "NaN" } as never, "epoch", 0.5);
    expect(curves.a?.smoothed).toEqual([1, 2, 2]);
    expect(curves.a?.weight).toBe(0.75);
  });
  it("stays bounded, and what stays does not move", () => {
    const curves: Curves = {};
    for (let epoch = 1; epoch <= 10_000; epoch++) append(curves, { epoch, a: epoch % 7 } as never, "epoch", 0);
    const { step, value, min, max } = curves.a as Held;
    expect(step.length).toBeLessThanOrEqual(2 * MOST_POINTS);
    expect([step[0], step.at(-1)]).toEqual([1, 10_000]);
    expect(value.every((each, k) => each === (step[k] as number) % 7)).toBe(true);
    expect([Math.min(...min), Math.max(...max)]).toEqual([0, 6]);
  });
});

it("merges neighbours at the first of them; a gap takes nothing away", () => {
  const found = halved(curve([5, NaN, NaN, 2, 9], { smoothed: [5, 4, 4, 3, 6], weight: 2 }));
  expect(found).toMatchObject({ step: [1, 3, 5], min: [5, 2, 9], max: [5, 2, 9], smoothed: [5, 4, 6], weight: 2 });
  expect(found.value).toEqual([5, NaN, 9]);
});

describe("the axis", () => {
  const some = { step: [1, 11], x: [8, 88] };
  it.each([["epoch", 13], ["step", 104], ["seconds", 90]] as const)("of %s goes on", (axis, x) => expect(nextX(axis, some, 13, 2)).toBe(x));
  it("begins before the first point", () => expect(nextX("seconds", { step: [], x: [] }, 1, 0.5)).toBe(0.5));
});

describe("a zoom", () => {
  const whole = curve([0, 10, 20, 30, 40, 50], { step: [1, 11, 21, 31, 41, 51], x: [1, 11, 21, 31, 41, 51] });
  it("asks for the steps that it shows, and half as many again on either side", () => expect(stretch(whole, [21, 31])).toEqual([16, 36]));
  it("keeps to the curve", () => expect(stretch(whole, [1, 51])).toEqual([1, 51]));
  it("by seconds asks for the steps of that time", () => expect(stretch({ ...whole, x: [0.1, 1.1, 2.1, 3.1, 4.1, 5.1] }, [2.1, 3.1])).toEqual([16, 36]));
  it("puts the detail in the place of its stretch", () => {
    const detail = curve([15, 16, 17], { step: [16, 17, 18], x: [16, 17, 18] });
    expect(withDetail(whole, detail).step).toEqual([1, 11, 16, 17, 18, 21, 31, 41, 51]);
    expect(withDetail(whole, curve([45, 55], { step: [46, 60] })).step).toEqual([1, 11, 21, 31, 41, 46, 60]);
    expect(withDetail(whole, undefined)).toBe(whole);
  });
});

it("puts curves that are read together in a chart, loss first", () => {
  const names = ["batch_loss", "train_loss", "seconds", "train_accuracy", "validation_loss", "learning_rate", "train_mae"];
  expect(chartsOf(names).map(({ name }) => name)).toEqual(["loss", "accuracy", "mae", "learning_rate", "seconds", "batch_loss"]);
  expect(chartsOf(names)[0]?.curves).toEqual(["train_loss", "validation_loss"]);
});
