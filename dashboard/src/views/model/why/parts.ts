/** The questions that mean something for a model, and the parts of an answer. */
import type { Schema } from "~/api/client";
import { integer, number, toNumber } from "~/text/format";
import { plain, sharesOf, type Row } from "../values";

export type Part = "what_if" | "dependence" | "importance" | "contributions";

const LINEAR = ["linear_regression", "logistic_regression", "perceptron"];

/** A clustering is right about nothing, and only what is linear is a sum. */
export function partsOf({ task, kind }: Pick<Schema["ModelResource"], "task" | "kind">): Part[] {
  return ["what_if", "dependence", ...(task === "clustering" ? [] : ["importance" as const]), ...(LINEAR.includes(kind) ? ["contributions" as const] : [])];
}

/** Parts of an answer that can be set beside one another: probabilities, distances, or predicted numbers. */
export function answerParts(answer: Schema["Answer"]): { name: string; value: number }[] {
  if (answer.probabilities) return sharesOf(answer.probabilities as Row);
  if (answer.distances) return answer.distances.map((distance, cluster) => ({ name: integer(cluster), value: toNumber(distance) }));
  if (typeof answer.prediction === "object" && answer.prediction !== null) return Object.entries(answer.prediction as Row).map(([name, value]) => ({ name, value: Number(value) }));
  return [];
}

/** What the data says of a row, with all of its digits. */
export const truth = (target: unknown): string => (typeof target === "number" ? number(target, 12) : plain(target));
