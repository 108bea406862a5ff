import { expect, it } from "vitest";
import { nearest } from "~/charts/nearest";

const same = (value: number) => value;
const LISTS = [{ x: [0, NaN], y: [0, 5] }, { x: [5, 9], y: [5, 9] }];

it.each([
  [[5, 6], 10, { list: 1, point: 0 }],
  [[1, 1], 10, { list: 0, point: 0 }],
  [[5, 6], 0.5, null],
] as const)("at %j within %d pixels it is %j", (at, most, found) => {
  expect(nearest(LISTS, same, same, [at[0], at[1]], most)).toEqual(found);
});
