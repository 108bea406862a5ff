import { describe, expect, it } from "vitest";
import { lines, logLevels, standing } from "~/charts/contours";
import { kindsOf, racerNames, toNearest } from "~/views/glass/landscapes/race";
import { pointOf } from "~/state/address";
import { typed } from "~/elements/NumberCell";

describe("levels of a landscape", () => {
  const axis = Array.from({ length: 21 }, (_, place) => place - 10);
  const bowl = { x: axis, y: axis, values: axis.map((y) => axis.map((x) => x * x + y * y - 5)) };
  const levels = logLevels(bowl, 8);

  it("grow by one factor, from the lowest to the highest cost", () => {
    expect(levels.least).toBe(-5);
    const factors = levels.steps.slice(1).map((step, place) => step / levels.steps[place]!);
    factors.forEach((factor) => expect(factor).toBeCloseTo(factors[0]!, 9));
    expect(standing(levels, -5)).toBe(0);
    expect(standing(levels, 195)).toBe(1);
  });
  it("lie where the cost is theirs", () => {
    const inner = lines(bowl, levels).filter(({ level }) => level > 15 && level < 80);
    expect(inner.length).toBeGreaterThan(0);
    const isInside = ([x, y]: [number, number]) => Math.max(Math.abs(x), Math.abs(y)) < 10; // a ring goes on around the grid
    for (const { level, rings } of inner) for (const [x, y] of rings.flat().filter(isInside)) expect(Math.hypot(x, y)).toBeCloseTo(Math.sqrt(level + 5), 0);
  });
  it("are none where all is flat", () => expect(logLevels({ x: [0, 1], y: [0, 1], values: [[1, 1], [1, 1]] }).steps).toEqual([]));
});

describe("a race in the address", () => {
  it("is read, or else taken for none", () => {
    expect(kindsOf('[{"kind":"adam"}]')).toEqual([{ kind: "adam" }]);
    for (const wrong of ["", "[]", "{}", '[{"name":"adam"}]', "[1]"]) expect(kindsOf(wrong)).toBeNull();
    expect(pointOf("-1.5,2")).toEqual([-1.5, 2]);
    for (const wrong of ["", "1", "a,b"]) expect(pointOf(wrong)).toBeNull();
  });
  it("names those that race, twins by number", () => expect(racerNames([{ kind: "a" }, { kind: "b" }, { kind: "a" }], (kind) => kind.toUpperCase())).toEqual(["A 1", "B", "A 2"]));
  it("measures to the nearest minimum", () => {
    expect(toNearest([0, 0], [{ point: [3, 4] }, { point: [0, 2] }])).toBe(2);
    expect(toNearest([0, 0], [])).toBeNull();
  });
});

describe("numbers as they are typed", () => {
  it.each([["1.5", 1.5], ["1,5", 1.5], ["−2", -2], ["1e-3", 0.001]])("%s", (text, value) => expect(typed(text)).toBe(value));
  it.each(["", "-", "1,2,3", "Infinity", "x"])("%s is none", (text) => expect(typed(text)).toBeNull());
});
