/** Descents of a model of two parameters: how lessons ask for them, and show them. */
import { useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { Landscape, type Point } from "~/charts/Landscape";
import { Line } from "~/charts/Line";
import { Legend } from "~/charts/Paths";
import { Figure } from "~/elements/Figure";
import { Stepper } from "~/elements/Stepper";
import { integer, toNumber } from "~/text/format";
import { glassText } from "~/text/glass";
import type { Calls } from "./calls";

export type Descents = Schema["DescentsResource"];
export type Surface = Descents["surfaces"][number];
export type CostPath = Descents["paths"][number];

export const WEIGHTS = { kind: "infant_weight" } as const;
export const OF_WEIGHTS = { feature: "months", target: "weight" } as const;

export const plain = (learning_rate: number) => ({ kind: "gradient_descent", learning_rate }) as const;

export function descend(calls: Calls, request: Record<string, unknown>): Promise<Descents> {
  return body(api.POST("/v1/descents", { body: request as unknown as Schema["DescentsRequest"], signal: calls.signal }));
}

export const lastCost = (path: { costs: number[] }): number => path.costs[path.costs.length - 1]!;
export const leastCost = (surface: Surface): number => toNumber(surface.minimum?.cost);

/** How strongly the cost bends along w and along b, by the gradients at both ends of the first step. */
export function curvatures(path: CostPath): [number, number] {
  const [before, after] = [path.points[0]!, path.points[1]!];
  const [slope, next] = [path.gradients[0]!, path.gradients[1]!];
  const along = (axis: 0 | 1) => (next[axis]! - slope[axis]!) / (after[axis]! - before[axis]!);
  return [along(0), along(1)];
}

/** Frames of a walk that is played, at most about. */
const MOST_FRAMES = 60;

/** What a path is drawn by. */
type Drawn = { points: number[][]; costs: number[]; epochs?: number[] };

interface Props {
  title: string;
  surface: Surface;
  paths: { name: string; path: Drawn; look?: number }[];
  xLabel?: string;
  yLabel?: string;
}

/** The cost as a map with the paths over it, which can be walked step by step: each comes as far in the same share of its steps. */
export function CostMap({ title, surface, paths, xLabel = "w", yLabel = "b" }: Props) {
  const words = glassText();
  const last = Math.max(...paths.map(({ path }) => path.points.length - 1));
  const [at, goTo] = useState(last);
  const step = Math.min(at, last);
  const grid = { x: surface.w, y: surface.b, values: surface.costs.map((row) => row.map(toNumber)) };
  const minima = surface.minimum ? [surface.minimum.point.map(toNumber) as Point] : [];
  const walked = paths.map(({ name, path, look }) => ({ name, look, points: path.points.slice(0, 1 + Math.floor(((path.points.length - 1) * step) / last)) as Point[] }));
  const rows = () => ({ columns: ["path", "step", xLabel, yLabel, "cost"], rows: paths.flatMap(({ name, path }) => path.points.map(([w, b], place) => [name, place, w!, b!, path.costs[place]!])) });
  return (
    <Figure title={title} rows={rows}>
      <Landscape label={title} grid={grid} minima={minima} paths={walked} start={paths[0]!.path.points[0] as Point} xLabel={xLabel} yLabel={yLabel} />
      {paths.length > 1 && <Legend names={paths.map(({ name }) => name)} />}
      <Stepper label={title} at={step} last={last} onChange={goTo} says={words.stepOf(integer(step), integer(last))} milliseconds={120} stride={Math.ceil(last / MOST_FRAMES)} />
    </Figure>
  );
}

/** The cost after each step, or after each epoch. */
export function CostCurves({ title, paths, xLabel, perEpoch = false }: Pick<Props, "title" | "paths"> & { xLabel: string; perEpoch?: boolean }) {
  const series = paths.map(({ name, path, look }, index) => {
    const steps = path.costs.map((_, step) => step);
    const shown = perEpoch ? steps.filter((step) => path.epochs?.[step] !== path.epochs?.[step - 1] || step === 0) : steps;
    return { name, x: perEpoch ? shown.map((_, epoch) => epoch) : shown, y: shown.map((step) => path.costs[step]!), look: look ?? index };
  });
  const rows = () => ({ columns: ["path", xLabel, "cost"], rows: series.flatMap(({ name, x, y }) => x.map((at, place) => [name, at, y[place]!])) });
  return (
    <Figure title={title} rows={rows}>
      <Line label={title} series={series} xLabel={xLabel} scale="log" height={220} />
    </Figure>
  );
}
