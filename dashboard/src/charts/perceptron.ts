/** The updates of a perceptron, as they are drawn. */
import type { Schema } from "~/api/client";

export type Update = Schema["PerceptronUpdate"];

type Range = [number, number];

/** The corners of the part of a rectangle on which w₁x₁ + w₂x₂ + b is positive, in order; none where there is no such part. */
export function positiveSide([w1 = 0, w2 = 0, b = 0]: number[], ends: { x: Range; y: Range }): [number, number][] {
  const corners: [number, number][] = [[ends.x[0], ends.y[0]], [ends.x[1], ends.y[0]], [ends.x[1], ends.y[1]], [ends.x[0], ends.y[1]]];
  const score = ([x, y]: [number, number]) => w1 * x + w2 * y + b;
  return corners.flatMap((corner, place): [number, number][] => {
    const next = corners[(place + 1) % corners.length]!;
    const [here, there] = [score(corner), score(next)];
    const share = here / (here - there);
    const crossing: [number, number] = [corner[0] + (next[0] - corner[0]) * share, corner[1] + (next[1] - corner[1]) * share];
    return [...(here > 0 ? [corner] : []), ...(here > 0 !== there > 0 ? [crossing] : [])];
  });
}
