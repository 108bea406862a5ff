import { expect, it } from "vitest";
import { positiveSide } from "~/charts/perceptron";

const ENDS = { x: [0, 4] as [number, number], y: [0, 2] as [number, number] };

it.each([
  ["left of x = 1", [-1, 0, 1], [[0, 0], [1, 0], [1, 2], [0, 2]]],
  ["above y = x", [-1, 1, 0], [[2, 2], [0, 2], [0, 0]]],
  ["everywhere", [0, 0, 1], [[0, 0], [4, 0], [4, 2], [0, 2]]],
  ["nowhere", [0, 0, -1], []],
  ["nowhere, with all weights 0", [0, 0, 0], []],
] as const)("it is positive %s", (_, weights, corners) => {
  expect(positiveSide([...weights], ENDS)).toEqual(corners);
});
