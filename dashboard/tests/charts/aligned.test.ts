import { describe, expect, it } from "vitest";
import { align } from "~/charts/aligned";

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
