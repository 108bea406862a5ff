/** Repeats of a job: what can be varied, what is asked for, and what a group came to, made ready to draw. */
import type { Schema } from "~/api/client";
import type { Series } from "~/charts/Line";
import { isObject, typed, type Json, type JsonObject } from "~/forms/values";
import { number, toNumber } from "~/text/format";

export type Group = Schema["GroupResource"];
export type Tried = Schema["TriedValue"];
export type Bands = Schema["GroupCurves"];
export type RepeatRequest = Schema["RepeatRequest"];
export type What = "seeds" | "shares" | "setting";
export const WHATS: What[] = ["seeds", "shares", "setting"];
/** Jobs of a group, at most. */
export const MOST_JOBS = 100;

/** Parts of a request that say what is learned from what, and are no setting to try. */
const NO_SETTING = ["dataset_id", "target", "features", "task", "name", "tags", "record", "device", "max_seconds"];

/** The settings of a request that have one value each, by their JSON pointer. */
export function settingsOf(request: JsonObject, prefix = ""): { pointer: string; value: Json }[] {
  return Object.entries(request).flatMap(([name, value]) => {
    if (prefix === "" && NO_SETTING.includes(name)) return [];
    if (name === "kind" || Array.isArray(value) || !/^\w+$/.test(name)) return [];
    return isObject(value) ? settingsOf(value, `${prefix}/${name}`) : [{ pointer: `${prefix}/${name}`, value }];
  });
}

/** Values around the one that a setting has, to begin with. */
export function around(value: Json | undefined): string {
  if (typeof value === "boolean") return "true false";
  if (typeof value !== "number" || value <= 0) return "";
  const factors = Number.isInteger(value) ? [1, 2, 4] : [0.1, 1, 10];
  return factors.map((factor) => String(Number((value * factor).toPrecision(12)))).join(" ");
}

/** What was typed as several values: numbers where they are some, words of JSON, else text. */
export function valuesIn(text: string): Json[] {
  const words: Record<string, Json> = { true: true, false: false, null: null };
  return text
    .split(/[\s;]+/)
    .filter(Boolean)
    .map((part) => (part in words ? (words[part] as Json) : (typed(part) as Json)));
}

export interface Wanted {
  what: What;
  seeds: number | null;
  vary: NonNullable<RepeatRequest["vary"]>;
  shares: string;
  setting: string;
  values: string;
}

/** The body of the request. */
export function requestOf({ what, seeds, vary, shares, setting, values }: Wanted): RepeatRequest {
  const base = { seeds: seeds ?? 1, vary } as RepeatRequest;
  if (what === "shares") return { ...base, shares: valuesIn(shares) as number[] };
  return what === "setting" ? { ...base, setting, values: valuesIn(values) } : base;
}

/** How many jobs a request starts. */
export const jobsOf = ({ seeds, shares, values }: Partial<RepeatRequest>): number => (seeds ?? 1) * (shares ?? values ?? [null]).length;

/** The names of what every value's runs have, as the first value that has some names them. */
export const metricsOf = (result: Tried[]): string[] => Object.keys(result.find(({ metrics }) => Object.keys(metrics).length)?.metrics ?? {});

/** A value as people read it. */
export const valueName = (value: unknown): string => (typeof value === "number" ? number(value, 6) : isObject(value) && typeof value.kind === "string" ? value.kind : JSON.stringify(value));

/** Of a loss or metric, one line for each split, over the values' places: mean, with a band from the least to the greatest. */
export function coursesOf(result: Tried[], about: string, named: (key: string) => string): Series[] {
  return ["train", "validation"].flatMap((split, look) => {
    const key = `${split}_${about}`;
    if (!result.some(({ metrics }) => metrics[key])) return [];
    const of = (part: "mean" | "low" | "high") => result.map(({ metrics }) => toNumber(metrics[key]?.[part]));
    return [{ name: named(key), x: result.map((_, place) => place), y: of("mean"), min: of("low"), max: of("high"), look }];
  });
}

/** What losses and metrics are of: train and validation under one name. */
export const aboutsOf = (result: Tried[]): string[] => [...new Set(metricsOf(result).map((key) => key.replace(/^(train|validation)_/, "")))];

/** A curve of all runs: a line for each value, with a band to the least and greatest, or as wide as the deviation. */
export function bandsOf({ bands }: Bands, isDeviation: boolean, nameless: string): Series[] {
  return bands.map(({ value, epoch, mean, deviation, low, high }, look) => {
    const centre = mean.map(toNumber);
    const reach = deviation.map((each) => (each === null ? 0 : toNumber(each)));
    const [min, max] = isDeviation ? [centre.map((at, k) => at - (reach[k] as number)), centre.map((at, k) => at + (reach[k] as number))] : [low.map(toNumber), high.map(toNumber)];
    return { name: value === null ? nameless : valueName(value), x: epoch, y: centre, min, max, look };
  });
}
