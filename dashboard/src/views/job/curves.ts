/** Curves as they are held while a job is followed: sampled by the API, then gone on with by events, at bounded length. */
import type { Schema } from "~/api/client";
import { toNumber } from "~/text/format";

export type Axis = "epoch" | "step" | "seconds";

/** A curve's points in order; each stands for those up to the next, of which `min` and `max` are the extremes. */
export interface Held {
  step: number[];
  x: number[];
  value: number[];
  min: number[];
  max: number[];
  smoothed: number[] | null;
  /** The weight w that the smoothed curve goes on with. */
  weight: number;
}
export type Curves = Record<string, Held>;

/** Points that the API is asked for of a curve; twice as many are held before neighbours are merged. */
export const MOST_POINTS = 1000;

type Answer = Schema["Curves"];

/** The curves of an answer. */
export function held(answer: Answer): Curves {
  return Object.fromEntries(
    Object.entries(answer.series).map(([name, curve]) => [
      name,
      {
        step: [...curve.step],
        x: [...(curve.x ?? curve.step)],
        value: curve.value.map(toNumber),
        min: curve.min.map(toNumber),
        max: curve.max.map(toNumber),
        smoothed: curve.smoothed ? curve.smoothed.map(toNumber) : null,
        weight: curve.smoothed_weight ?? 0,
      },
    ]),
  );
}

const empty = (isSmoothed: boolean): Held => ({ step: [], x: [], value: [], min: [], max: [], smoothed: isSmoothed ? [] : null, weight: 0 });

/** Where on the axis the epoch after the last lies. */
export function nextX(axis: Axis, curve: Pick<Held, "step" | "x">, epoch: number, seconds: number): number {
  if (axis === "epoch") return epoch;
  const last = curve.step.length - 1;
  const x = (curve.x[last] as number | undefined) ?? 0;
  if (axis === "seconds") return x + (Number.isFinite(seconds) ? seconds : 0);
  const steps = last > 0 ? (x - (curve.x[0] as number)) / ((curve.step[last] as number) - (curve.step[0] as number)) : x / ((curve.step[last] as number | undefined) ?? 1) || 1;
  return x + steps * (epoch - ((curve.step[last] as number | undefined) ?? 0));
}

/** Take an epoch's values as points of their own; an epoch that is there already is passed over. Gives whether any was new. */
export function append(curves: Curves, told: Schema["MetricEvent"], axis: Axis, beta: number): boolean {
  const { epoch, ...values } = told as { epoch: number } & Record<string, Schema["MetricEvent"][string]>;
  let isNew = false;
  for (const [name, given] of Object.entries(values)) {
    const curve = (curves[name] ??= empty(beta > 0));
    if (epoch <= ((curve.step.at(-1) as number | undefined) ?? -1)) continue;
    const value = toNumber(given as number | string | null);
    curve.x.push(nextX(axis, curve, epoch, toNumber(values.seconds as number | null)));
    curve.step.push(epoch);
    for (const part of [curve.value, curve.min, curve.max]) part.push(value);
    if (curve.smoothed) {
      const before = curve.smoothed.at(-1) ?? NaN;
      curve.weight *= beta;
      if (Number.isFinite(value)) curve.weight += 1;
      curve.smoothed.push(!Number.isFinite(value) ? before : Number.isFinite(before) ? before + (value - before) / curve.weight : value);
    }
    if (curve.step.length > 2 * MOST_POINTS) curves[name] = halved(curve);
    isNew = true;
  }
  return isNew;
}

const least = (one: number, other: number) => (Number.isNaN(one) ? other : Number.isNaN(other) ? one : Math.min(one, other));
const greatest = (one: number, other: number) => -least(-one, -other);

/** Each two neighbours as one, at the first of them, so that what stays does not move; the last point stands for itself. */
export function halved(curve: Held): Held {
  const last = curve.step.length - 1;
  const kept: number[] = [];
  for (let k = 0; k < last; k += 2) kept.push(k);
  const found: Held = { ...empty(curve.smoothed !== null), weight: curve.weight };
  const take = (from: number, to: number) => {
    for (const part of ["step", "x", "value"] as const) found[part].push(curve[part][from] as number);
    found.min.push(least(curve.min[from] as number, curve.min[to] as number));
    found.max.push(greatest(curve.max[from] as number, curve.max[to] as number));
    found.smoothed?.push(curve.smoothed?.[from] as number);
  };
  for (const k of kept) take(k, Math.min(k + 1, last - 1));
  take(last, last);
  return found;
}

/** The whole curve with a stretch of it in more detail. */
export function withDetail(whole: Held, detail: Held | undefined): Held {
  const first = detail?.step[0];
  if (!detail || first === undefined) return whole;
  const last = detail.step.at(-1) as number;
  const before = whole.step.findIndex((step) => step >= first);
  const after = whole.step.findIndex((step) => step > last);
  const join = (all: number[], part: number[]) => [...all.slice(0, before < 0 ? all.length : before), ...part, ...(after < 0 ? [] : all.slice(after))];
  return {
    step: join(whole.step, detail.step),
    x: join(whole.x, detail.x),
    value: join(whole.value, detail.value),
    min: join(whole.min, detail.min),
    max: join(whole.max, detail.max),
    smoothed: whole.smoothed && detail.smoothed ? join(whole.smoothed, detail.smoothed) : null,
    weight: whole.weight,
  };
}

/** Whether some point stands for several, so that there is a band to be drawn. */
export const isSampled = (curve: Held): boolean => curve.min.some((low, k) => low !== curve.max[k] && !Number.isNaN(low));

/** The steps that a stretch of the axis takes in, with half of it again on either side for who moves on; null where all is shown. */
export function stretch(curve: Held, range: readonly [number, number]): [number, number] {
  const margin = (range[1] - range[0]) / 2;
  const at = (x: number) => {
    const { x: places, step } = curve;
    const k = places.findIndex((place) => place >= x);
    if (k < 0) return (step.at(-1) ?? 0) as number;
    if (k === 0) return step[0] as number;
    const share = (x - (places[k - 1] as number)) / ((places[k] as number) - (places[k - 1] as number) || 1);
    return (step[k - 1] as number) + share * ((step[k] as number) - (step[k - 1] as number));
  };
  return [Math.max(0, Math.floor(at(range[0] - margin))), Math.ceil(at(range[1] + margin))];
}

/** What a chart shows: curves that are read together. */
export interface Chart {
  /** "loss", "accuracy", …: what train_ and validation_ are of; or a curve's own name. */
  name: string;
  curves: string[];
}

const ORDER = ["loss", "accuracy", "r2", "learning_rate", "gradient_norm", "seconds"];

/** The charts of the curves: loss first, then metrics, then what else was recorded. */
export function chartsOf(names: string[]): Chart[] {
  const charts = new Map<string, string[]>();
  for (const name of names) {
    const about = /^(?:train|validation)_(.*)$/.exec(name)?.[1] ?? name;
    charts.set(about, [...(charts.get(about) ?? []), name]);
  }
  const isPair = (name: string) => charts.get(name)?.some((curve) => curve !== name) ?? false;
  const place = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : isPair(name) ? 1.5 : ORDER.length);
  return [...charts].map(([name, curves]) => ({ name, curves: curves.sort() })).sort((a, b) => place(a.name) - place(b.name));
}

/** The most that a point stands for: how many steps lie between neighbours. */
export function coarseness(curve: Held): number {
  let most = 1;
  for (let k = 1; k < curve.step.length; k++) most = Math.max(most, (curve.step[k] as number) - (curve.step[k - 1] as number));
  return most;
}
