import { describe, expect, it } from "vitest";
import { align, zoomed } from "~/charts/aligned";

describe("align", () => {
  it("puts series of different x on one axis, with null where one has no value", () => {
    const { x, columns } = align([{ name: "a", x: [1, 3], y: [10, 30] }, { name: "b", x: [2, 3], y: [5, 6] }], "linear");
    expect(x).toEqual([1, 2, 3]);
    expect(columns).toEqual([[10, null, 30], [null, 5, 6]]);
  });
  it("keeps a band as lower and upper before the value", () => {
    const { columns } = align([{ name: "a", x: [1], y: [2], min: [1], max: [3] }], "linear");
    expect(columns).toEqual([[1], [3], [2]]);
  });
  it("leaves out and counts what a scale cannot show", () => {
    const series = [{ name: "a", x: [1, 2, 3, 4], y: [0, -1, 2, NaN] }];
    expect(align(series, "log")).toMatchObject({ columns: [[null, null, 2, null]], left_out: 3 });
    expect(align(series, "arcsinh")).toMatchObject({ columns: [[0, -1, 2, null]], left_out: 1 });
  });
});

describe("zoomed", () => {
  it.each([
    [null, 0.5, 20, 0, [10, 60]],
    [null, 0.5, null, 0, [25, 75]],
    [[10, 60], 2, 20, 0, null],
    [[10, 60], 1, null, 0.5, [35, 85]],
    [[10, 60], 1, null, 4, [50, 100]],
    [[0, 10], 4, 0, 0, [0, 40]],
  ] as const)("%j by %d at %j, moved by %d", (range, factor, centre, shift, found) => {
    expect(zoomed([0, 100], range as [number, number] | null, factor, centre, shift)).toEqual(found);
  });
});
