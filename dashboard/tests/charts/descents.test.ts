import { expect, it } from "vitest";
import { descentNames, longest, paces, pointsAt, stepsOfEpoch, type Answer } from "~/charts/descents";
import { held } from "~/charts/Handle";

const path = (batch_size: number | "full", points: number, rate = 0.1, surface = 0) => ({
  settings: { optimizer: { kind: "gradient_descent", learning_rate: rate }, batch_size },
  surface,
  points: Array.from({ length: points }, (_, place) => [place, 0]),
});
const answer = (...paths: ReturnType<typeof path>[]) =>
  ({ epochs: 3, paths, surfaces: ["none", "standard"].map((kind) => ({ rows: 13, scaling: { kind } })) }) as unknown as Answer;
const titleOf = (family: string, kind: string) => `${family} ${kind}`;

it("an epoch has a step for each batch, the last one smaller", () => {
  expect([stepsOfEpoch("full", 13), stepsOfEpoch(4, 13), stepsOfEpoch(13, 13), stepsOfEpoch(1, 13)]).toEqual([1, 4, 1, 13]);
});

it("paths are shown after as many passes over the rows, however many steps these take", () => {
  const found = answer(path("full", 4), path(4, 13), path(1, 40), path(1, 5));
  expect([paces(found), longest(found)]).toEqual([[1, 4, 13, 13], 39]);
  expect(pointsAt(found, 0)).toEqual([0, 0, 0, 0]);
  expect(pointsAt(found, 12)).toEqual([0, 3, 12, 4]); // the last of them diverged after four steps
  expect(pointsAt(found, 13)).toEqual([1, 4, 13, 4]);
  expect(pointsAt(found, 39)).toEqual([3, 12, 39, 4]);
});

it("descents are called by what tells them apart", () => {
  const names = (...paths: ReturnType<typeof path>[]) => descentNames(answer(...paths), titleOf);
  expect(names(path("full", 2), path(4, 2), path(1, 2))).toEqual(["all rows", "batches of 4", "one row"]);
  expect(names(path("full", 2, 0.01), path("full", 2, 2.5))).toEqual(["η 0.01", "η 2.5"]);
  expect(names(path("full", 2, 0.1, 0), path("full", 2, 0.2, 1))).toEqual(["η 0.1, scalers none", "η 0.2, scalers standard"]);
  expect(names(path("full", 2), path("full", 2))).toEqual(["all rows (1)", "all rows (2)"]);
  expect(names(path("full", 2))).toEqual(["all rows"]);
});

it("a point that is dragged stays within its axis and has no more digits than can be aimed at", () => {
  expect([held(0.123456, [0, 1]), held(7, [0, 1]), held(4712345.678, [4.5e6, 5e6]), held(1.2345e-5, [0, 1e-4])]).toEqual([0.123, 1, 4712346, 1.23e-5]);
});
