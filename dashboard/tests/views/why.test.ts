import { expect, it } from "vitest";
import { scaleOf } from "~/charts/Bar";
import { answerParts, partsOf } from "~/views/model/why/parts";
import { stepsOf } from "~/views/model/why/steps";

const feature = (name: string, contribution: number, from_mean: number) => ({ feature: name, value: 2, mean: 1, weights: { y: 3 }, contributions: { y: contribution }, from_mean: { y: from_mean } });
const contributions = { outputs: { y: { bias: 10, mean_output: 14, output: 13 } }, features: [feature("a", 1, 0.5), feature("b", -2, -1), feature("c", 4, -0.5)] } as never;

it.each([
  ["mean", 14, ["b", "a", "c"], [14, 13, 13.5]],
  ["zero", 10, ["c", "b", "a"], [10, 14, 12]],
] as const)("a prediction is a sum, from the %s on, the largest steps first", (from, begin, names, froms) => {
  const found = stepsOf(contributions, "y", from, 10, "others");
  expect([found.begin, found.end, found.steps.map((step) => step.name), found.steps.map((step) => step.from)]).toEqual([begin, 13, names, froms]);
  expect(found.steps.at(-1)!.to).toBe(13);
});

it("of many features the smaller ones are added up in one step, and the sum stays", () => {
  const { steps, end } = stepsOf(contributions, "y", "zero", 2, "others");
  expect(steps.map(({ name, weight, from, to }) => [name, weight, from, to])).toEqual([["c", 3, 10, 14], ["others", null, 14, 13]]);
  expect(steps.at(-1)!.to).toBe(end);
});

it("models are asked what means something for them", () => {
  const of = (task: string, kind: string) => partsOf({ task, kind } as never);
  expect(of("clustering", "k_means")).toEqual(["what_if", "dependence"]);
  expect(of("classification", "mlp")).toEqual(["what_if", "dependence", "importance"]);
  expect(of("regression", "linear_regression")).toEqual(["what_if", "dependence", "importance", "contributions"]);
});

it("answers are set beside one another by their probabilities, distances or several numbers", () => {
  expect(answerParts({ prediction: "a", probabilities: { a: 0.75, b: 0.25 } } as never)).toEqual([{ name: "a", value: 0.75 }, { name: "b", value: 0.25 }]);
  expect(answerParts({ prediction: 1, distances: [3, 0.5] } as never)).toEqual([{ name: "0", value: 3 }, { name: "1", value: 0.5 }]);
  expect(answerParts({ prediction: { x: 1, y: 2 } } as never)).toEqual([{ name: "x", value: 1 }, { name: "y", value: 2 }]);
  expect(answerParts({ prediction: 4 } as never)).toEqual([]);
});

it("a scale of bars holds 0", () => {
  expect([scaleOf([2, 5]), scaleOf([-3, NaN, -1]), scaleOf([])]).toEqual([[0, 5], [-3, 0], [0, 0]]);
});
