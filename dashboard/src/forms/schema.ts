/** JSON Schema → what a form shows: each field with its shape, its default and its bounds. */

export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  discriminator?: { propertyName: string; mapping?: Record<string, string> };
  properties?: Record<string, JsonSchema>;
  additionalProperties?: boolean | JsonSchema;
  required?: string[];
  items?: JsonSchema;
  prefixItems?: JsonSchema[];
  maxItems?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  title?: string;
  description?: string;
  default?: unknown;
}

export interface Bounds {
  isInteger: boolean;
  minimum?: number;
  maximum?: number;
  above?: number;
  below?: number;
}

export type Shape =
  | ({ type: "number" } & Bounds)
  | { type: "boolean" }
  | { type: "text" }
  | { type: "enum"; options: string[] }
  /** One of several objects, told apart by `kind`. */
  | { type: "union"; members: Member[] }
  | { type: "object"; fields: FieldShape[] }
  | { type: "list"; item: FieldShape; most?: number }
  /** A number for each of some names. */
  | { type: "map"; value: Bounds }
  /** Numbers of a fixed order, such as height and width; `hasOne`: or one number that stands for all. */
  | { type: "numbers"; hasOne: boolean }
  /** A few words, or else something of another shape. */
  | { type: "either"; words: string[]; other: Shape }
  /** What no field here shows: it is written as JSON. */
  | { type: "json" };

export interface Member {
  kind: string;
  description: string;
  fields: FieldShape[];
}

export interface FieldShape {
  name: string;
  title: string;
  description: string;
  default: unknown;
  isNullable: boolean;
  shape: Shape;
}

/** A property's name as a title: "learning_rate" as "Learning rate". */
export function humanised(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A title as a sentence has it. Titles that were made of the name are in capitals throughout. */
function titleOf(name: string, given: string | undefined): string {
  if (given === undefined) return humanised(name);
  const isMade = given.toLowerCase().replaceAll(" ", "_") === name.toLowerCase();
  return isMade ? humanised(name) : given;
}

export const KIND = "kind";

/** The fields of an object's schema; `root` holds the definitions that it refers to. */
export function fieldsOf(schema: JsonSchema, root: JsonSchema = schema): FieldShape[] {
  const whole = resolved(schema, root);
  return Object.entries(whole.properties ?? {})
    .filter(([, property]) => property.const === undefined)
    .map(([name, property]) => fieldOf(name, property, root));
}

export function fieldOf(name: string, property: JsonSchema, root: JsonSchema): FieldShape {
  const referred = property.$ref ? resolved(property, root) : property;
  const options = (property.anyOf ?? []).filter((option) => option.type !== "null");
  const isNullable = property.anyOf !== undefined && options.length < property.anyOf.length;
  const described = property.description ?? referred.description ?? (options.length === 1 ? resolved(options[0]!, root).description : undefined);
  return {
    name,
    title: titleOf(name, property.title ?? referred.title ?? (options.length === 1 ? resolved(options[0]!, root).title : undefined)),
    description: described ?? "",
    default: property.default,
    isNullable,
    shape: shapeOf(property.anyOf ? options : [referred], root),
  };
}

function shapeOf(options: JsonSchema[], root: JsonSchema): Shape {
  const whole = options.map((option) => resolved(option, root));
  const union = whole.find((option) => option.oneOf && option.discriminator);
  if (union) return { type: "union", members: (union.oneOf ?? []).map((member) => memberOf(member, root)) };
  const object = whole.find((option) => option.properties);
  if (object) return { type: "object", fields: fieldsOf(object, root) };
  const words = whole.flatMap((option) => (typeof option.const === "string" ? [option.const] : (option.enum ?? []).map(String)));
  const others = whole.filter((option) => typeof option.const !== "string" && !option.enum);
  if (words.length && others.length === 1) return { type: "either", words, other: plainShape(others[0]!, root) };
  if (whole.length === 2 && whole.some(isNumber) && whole.some(isNumbers)) return { type: "numbers", hasOne: true };
  return whole.length === 1 ? plainShape(whole[0]!, root) : { type: "json" };
}

const isNumber = ({ type }: JsonSchema): boolean => type === "integer" || type === "number";
const isNumbers = ({ type, items, prefixItems }: JsonSchema): boolean => type === "array" && (prefixItems ?? (items ? [items] : [])).some(isNumber);

function plainShape(schema: JsonSchema, root: JsonSchema): Shape {
  if (typeof schema.const === "string") return { type: "enum", options: [schema.const] };
  if (schema.enum) return { type: "enum", options: schema.enum.map(String) };
  if (schema.type === "boolean") return { type: "boolean" };
  if (schema.type === "string") return { type: "text" };
  if (isNumber(schema)) return { type: "number", ...boundsOf(schema) };
  if (isNumbers(schema)) return { type: "numbers", hasOne: false };
  if (schema.type === "array" && schema.items) {
    return { type: "list", item: fieldOf("", schema.items, root), ...(schema.maxItems === undefined ? {} : { most: schema.maxItems }) };
  }
  if (schema.type === "object" && typeof schema.additionalProperties === "object" && schema.additionalProperties.type === "number") {
    return { type: "map", value: boundsOf(schema.additionalProperties) };
  }
  return { type: "json" };
}

function memberOf(schema: JsonSchema, root: JsonSchema): Member {
  const whole = resolved(schema, root);
  return { kind: String(whole.properties?.[KIND]?.const ?? whole.title), description: whole.description ?? "", fields: fieldsOf(whole, root) };
}

function boundsOf({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): Bounds {
  return {
    isInteger: type === "integer",
    ...(exclusiveMinimum !== undefined ? { above: exclusiveMinimum } : minimum !== undefined ? { minimum } : {}),
    ...(exclusiveMaximum !== undefined ? { below: exclusiveMaximum } : maximum !== undefined ? { maximum } : {}),
  };
}

function resolved(schema: JsonSchema, root: JsonSchema): JsonSchema {
  if (!schema.$ref) return schema;
  const name = schema.$ref.split("/").at(-1)!;
  const found = root.$defs?.[name];
  if (!found) throw new Error(`the schema has no definition of ${name}`);
  return resolved(found, root);
}
