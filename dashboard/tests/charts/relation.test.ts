import { expect, it } from "vitest";
import { equation, mostMoving, ofRow, type RelationOf } from "~/charts/relation";

const line = (distances: (number | null)[], leverages = [0.2, 0.3, 1, 0.25]) => ({ predicts: "weight", by: "months", slope: -0.25, intercept: 4.5, residuals: [1, -2, 0, 3], leverages, distances });
const relation = { points: { rows: [4, 7, 8, 20], x: [0, 1, 2, 3], y: [9, 8, 7, 6] }, y_on_x: line([0.1, 0.5, null, 0.3]), x_on_y: null } as unknown as RelationOf;

it("rows that move the line most come first, and before them one without which there is no line", () => {
  expect(mostMoving(relation, "y_on_x", 3).map(({ row }) => row)).toEqual([8, 7, 20]);
});

it("where all rows lie on the line, none moves it: those far out come first", () => {
  const flat = { ...relation, y_on_x: line([null, null, null, null], [0.2, 0.7, 0.4, 0.25]) } as RelationOf;
  expect(mostMoving(flat, "y_on_x", 4).map(({ row }) => row)).toEqual([7, 8, 20, 4]);
});

it("a row has the numbers of its line, and none of a line that there is not", () => {
  expect(ofRow(relation, "y_on_x", 1)).toEqual({ row: 7, x: 1, y: 8, residual: -2, leverage: 0.3, distance: 0.5 });
  expect(ofRow(relation, "x_on_y", 1)).toMatchObject({ row: 7, residual: NaN, distance: null });
});

it("a line is written with the sign of its slope", () => {
  expect(equation(relation.y_on_x!)).toBe("weight = 4.5 − 0.25 · months");
});
