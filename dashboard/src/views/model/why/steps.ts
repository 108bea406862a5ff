/** The sum that a prediction of a linear model is, step by step. */
import type { Schema } from "~/api/client";
import { toNumber } from "~/text/format";

export interface Step {
  name: string;
  /** null of several features that are added up. */
  value: number | null;
  mean: number | null;
  weight: number | null;
  /** The sum before it, and after it. */
  from: number;
  to: number;
}

/** From the bias, or from the answer to the mean row, by what each feature adds, to the output: the largest steps first, and at most so many. */
export function stepsOf(contributions: Schema["ContributionsResource"], output: string, from: "mean" | "zero", most: number, others: string): { begin: number; steps: Step[]; end: number } {
  const sum = contributions.outputs[output]!;
  const adds = (each: Schema["FeatureContribution"]) => toNumber((from === "mean" ? each.from_mean : each.contributions)[output]);
  const sorted = [...contributions.features].sort((one, other) => Math.abs(adds(other)) - Math.abs(adds(one)));
  const begin = toNumber(from === "mean" ? sum.mean_output : sum.bias);
  let at = begin;
  const steps = sorted.slice(0, sorted.length > most ? most - 1 : most).map((each): Step => {
    const step = { name: each.feature, value: toNumber(each.value), mean: toNumber(each.mean), weight: toNumber(each.weights[output]), from: at, to: at + adds(each) };
    at = step.to;
    return step;
  });
  const rest = sorted.slice(steps.length).reduce((total, each) => total + adds(each), 0);
  if (sorted.length > steps.length) steps.push({ name: others, value: null, mean: null, weight: null, from: at, to: at + rest });
  return { begin, steps, end: toNumber(sum.output) };
}
