/** What the fields of a form share: what was changed, what the API made of it, and what is wrong. */
import type { ComponentChildren } from "preact";
import { humanised, type FieldShape, type Member } from "./schema";
import { pointerOf, shown, type Json, type JsonObject, type Path } from "./values";

/** An entry of the catalog, as far as a form shows it. */
export interface Entry {
  kind: string;
  /** Its name for people. */
  title: string;
  summary: string;
  formula: string;
  derivative: string | null;
  source: string | null;
}
export type Catalog = Record<string, Entry[]>;

export interface Form {
  changes: JsonObject;
  /** The request with every default, as the API completed it last. */
  completed: Json | undefined;
  catalog: Catalog | undefined;
  set: (path: Path, value: Json) => void;
  /** Take back what was changed at the path. */
  reset: (path: Path) => void;
  /** Do without a part that may be left out; by default, take back that it was asked for. */
  omit?: (path: Path) => void;
  /** What is wrong at the pointer. */
  errorAt: (pointer: string) => string | undefined;
  /** Whether the field means nothing as things stand. */
  isHidden: (pointer: string) => boolean;
  /** Whether the part is left out unless the reader asks for it. */
  isOptional: (pointer: string) => boolean;
  /** The kinds, or names, that may be chosen at the pointer; undefined for all. */
  choicesAt?: (pointer: string) => string[] | undefined;
  /** What is to be said of an entry of a list. */
  noteAt?: (pointer: string) => ComponentChildren;
}

export interface FieldProps {
  form: Form;
  field: FieldShape;
  path: Path;
}

export function valueAt(form: Form, path: Path, field: FieldShape): Json | undefined {
  const value = shown(form.changes, form.completed, path);
  return value === undefined ? (field.default as Json | undefined) : value;
}

/** The fields that are shown at a place. */
export function visible(form: Form, fields: FieldShape[], path: Path): FieldShape[] {
  return fields.filter((field) => !form.isHidden(pointerOf([...path, field.name])));
}

const isPlain = ({ shape }: FieldShape): boolean => shape.type !== "union" && shape.type !== "object" && shape.type !== "list";

/** The fields with those first that hold no others; of these the learning rate, which matters most. */
export function plainFirst(fields: FieldShape[]): FieldShape[] {
  const rank = (field: FieldShape) => (field.name === "learning_rate" ? 0 : isPlain(field) ? 1 : 2);
  return [...fields].sort((one, other) => rank(one) - rank(other));
}

/** The catalog's entry of a kind: from the family that has all members of its union. */
export function entryOf(catalog: Catalog | undefined, members: Member[], kind: string | undefined): Entry | undefined {
  const family = Object.values(catalog ?? {}).find((entries) => members.every((member) => entries.some((entry) => entry.kind === member.kind)));
  return family?.find((entry) => entry.kind === kind);
}

/** The name of a kind for people. */
export function nameOf(catalog: Catalog | undefined, members: Member[], kind: string): string {
  return entryOf(catalog, members, kind)?.title ?? humanised(kind);
}
