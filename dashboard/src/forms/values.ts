/**
 * What a form holds: only what the reader changed, over the request that the API has completed.
 * A part with a `kind` is always held whole: the API takes what it lacks from that kind's defaults, not from the model's.
 */
import { KIND, type FieldShape, type Shape } from "./schema";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };
export type Path = readonly (string | number)[];

export const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) return one.length === other.length && one.every((entry, index) => isSame(entry, other[index]));
  if (!isObject(one) || !isObject(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => name in other && isSame(one[name], other[name]));
}

export function pointerOf(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** What stands at the path; undefined where nothing does. */
export function at(value: Json | undefined, path: Path): Json | undefined {
  let found: Json | undefined = value;
  for (const step of path) {
    if (Array.isArray(found)) found = found[Number(step)];
    else found = isObject(found) && Object.hasOwn(found, String(step)) ? found[String(step)] : undefined;
  }
  return found;
}

/** The name of a part's kind: of an object, or of its name alone. */
export function kindOf(value: Json | undefined): string | undefined {
  if (typeof value === "string") return value;
  const kind = isObject(value) ? value[KIND] : undefined;
  return typeof kind === "string" ? kind : undefined;
}

/** What the reader sees at the path: what was changed, or else what the API filled in for the same kind of thing. */
export function shown(changes: Json | undefined, completed: Json | undefined, path: Path): Json | undefined {
  let mine: Json | undefined = changes;
  let theirs: Json | undefined = completed;
  for (const step of path) {
    if (Array.isArray(mine) || (mine !== undefined && !isObject(mine))) theirs = undefined;
    else if (kindOf(mine) !== undefined && kindOf(mine) !== kindOf(theirs)) theirs = undefined;
    mine = at(mine, [step]);
    theirs = at(theirs, [step]);
  }
  return mine === undefined ? theirs : mine;
}

/** The changes with `value` at the path. What lies on the way and has a kind, or is a list, is taken over from what is shown. */
export function changed(changes: JsonObject, completed: Json | undefined, path: Path, value: Json, fields: FieldShape[] = []): JsonObject {
  const set = (here: Json | undefined, done: Path, left: Path, shape: Shape | undefined): Json => {
    const [step, ...rest] = left;
    if (step === undefined) return value;
    const seed = here === undefined || !(isObject(here) || Array.isArray(here)) ? seeded(here, shown(changes, completed, done), shape) : here;
    const deeper = set(at(seed, [step]), [...done, step], rest, shapeAt(shape, seed, step));
    if (Array.isArray(seed)) return seed.map((entry, index) => (index === step ? deeper : entry));
    return { ...(seed as JsonObject), [String(step)]: deeper };
  };
  return set(changes, [], path, { type: "object", fields }) as JsonObject;
}

function seeded(here: Json | undefined, before: Json | undefined, shape: Shape | undefined): Json {
  const known = here === undefined ? before : here;
  if (Array.isArray(known)) return shape ? shortened(known, shape) : known;
  const kind = kindOf(known);
  if (kind !== undefined) return isObject(known) && shape ? shortened(known, shape) : { [KIND]: kind };
  return {};
}

/** The changes without what stands at the path, nor anything that is empty for lack of it. */
export function unchanged(changes: JsonObject, path: Path): JsonObject {
  const [step, ...rest] = path;
  const name = String(step);
  if (!(name in changes)) return changes;
  const { [name]: inner, ...left } = changes;
  if (rest.length && Array.isArray(inner)) {
    const [place, ...deeper] = rest;
    return { ...left, [name]: inner.map((entry, index) => (index === place && isObject(entry) ? unchanged(entry, deeper) : entry)) };
  }
  if (rest.length && isObject(inner)) {
    const kept = unchanged(inner, rest);
    if (Object.keys(kept).length) return { ...left, [name]: kept };
  }
  return left;
}

/** The value without the fields that are as the schema has them by default. */
export function shortened(value: Json, shape: Shape): Json {
  if (shape.type === "list" && Array.isArray(value)) return value.map((entry) => shortened(entry, shape.item.shape));
  if (!isObject(value)) return value;
  const fields = fieldsFor(shape, value);
  if (!fields) return value;
  const kept: JsonObject = {};
  for (const [name, entry] of Object.entries(value)) {
    const field = fields.find((known) => known.name === name);
    if (field && isDefault(entry, field)) continue;
    kept[name] = field ? shortened(entry, field.shape) : entry;
  }
  return kept;
}

function isDefault(value: Json, field: FieldShape): boolean {
  if (field.default === undefined) return value === null;
  if (isSame(value, field.default)) return true;
  const kind = kindOf(field.default as Json);
  return kind !== undefined && field.shape.type === "union" && isSame(shortened(value, field.shape), { [KIND]: kind });
}

/** The fields of a value of that shape: of the member that its kind names, where it is one of several. */
export function fieldsFor(shape: Shape | undefined, value: Json | undefined): FieldShape[] | undefined {
  if (shape?.type === "object") return shape.fields;
  if (shape?.type === "union") return shape.members.find((member) => member.kind === kindOf(value))?.fields;
  return undefined;
}

function shapeAt(shape: Shape | undefined, value: Json | undefined, step: string | number): Shape | undefined {
  if (shape?.type === "list") return shape.item.shape;
  return fieldsFor(shape, value)?.find((field) => field.name === step)?.shape;
}

/** Where a request differs from another, as the changes that lead from the other to it. */
export function difference(request: JsonObject, usual: JsonObject, fields: FieldShape[]): JsonObject {
  const found: JsonObject = {};
  for (const [name, value] of Object.entries(request)) {
    const before = usual[name];
    if (isSame(value, before)) continue;
    const shape = fields.find((field) => field.name === name)?.shape;
    if (shape?.type === "object" && isObject(value) && isObject(before)) found[name] = difference(value, before, shape.fields);
    else found[name] = shape ? shortened(value, shape) : value;
  }
  return found;
}

/**
 * The changes with a merge patch of the whole request over them: what it does not name stays as the request has it. A part
 * of another kind takes the place of what was there.
 */
export function laidOver(changes: JsonObject, request: JsonObject, patch: JsonObject, fields: FieldShape[]): JsonObject {
  return leaves(patch, request).reduce((held, { path, value }) => changed(held, request, path, value, fields), changes);
}

/** The values of a patch, each with where it goes. */
function leaves(patch: JsonObject, before: Json | undefined, path: Path = []): { path: Path; value: Json }[] {
  return Object.entries(patch).flatMap(([name, value]) => {
    const here = [...path, name];
    const held = at(before, [name]);
    const isPart = isObject(value) && (value[KIND] === undefined || value[KIND] === kindOf(held));
    if (!isPart) return [{ path: here, value }];
    const { [KIND]: _same, ...rest } = value;
    return leaves(rest, held, here);
  });
}

/** The list with the entry at `from` moved to `to`. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const left = list.filter((_, index) => index !== from);
  const entry = list[from];
  if (entry === undefined) return left;
  return [...left.slice(0, to), entry, ...left.slice(to)];
}

/** What the reader typed, as a number where it is one: with a comma as with a point. Undefined for nothing. */
export function typed(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const plain = /^[^,.]*,[^,.]*$/.test(trimmed) ? trimmed.replace(",", ".") : trimmed;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : trimmed;
}

/** Numbers of a fixed order as people write them: 28 × 28. */
export const shownNumbers = (value: Json): string => (Array.isArray(value) ? value.join(" × ") : String(value));

/** What the reader typed as numbers in their order, parted by ×, x, a comma or a space; `hasOne`: one alone stands for itself. */
export function typedNumbers(text: string, hasOne: boolean): Json | undefined {
  const parts = text.trim().split(/\s*[x×,;]\s*|\s+/i).filter(Boolean).map((part) => typed(part) as Json);
  if (parts.length === 0) return undefined;
  return hasOne && parts.length === 1 ? parts[0] : parts;
}
