/** Which of the form's fields say something of a file of some format, what was found for each, and what a reader has changed. */

export type FieldName =
  | "delimiter" | "quote" | "escape" | "header" | "skip_lines" | "skip_footer" | "comment" | "encoding" | "decimal" | "thousands"
  | "booleans" | "dates" | "date_format" | "missing" | "sheet" | "image_size" | "image_mode" | "words";

const CELLS: FieldName[] = ["decimal", "thousands", "missing", "booleans", "dates", "date_format"];
const TEXT: FieldName[] = ["delimiter", "header", "encoding", "quote", "escape", "skip_lines", "skip_footer", "comment", ...CELLS, "words"];
const BY_FORMAT: Record<string, FieldName[]> = {
  csv: TEXT,
  tsv: TEXT,
  json: [...CELLS, "words"],
  jsonl: [...CELLS, "words"],
  xlsx: ["sheet", "header", "skip_lines", "skip_footer", ...CELLS, "words"],
  xls: ["sheet", "header", "skip_lines", "skip_footer", ...CELLS, "words"],
  ods: ["sheet", "header", "skip_lines", "skip_footer", ...CELLS, "words"],
  images: ["image_size", "image_mode"],
};

/** Fields whose value is one of a few; null stands for finding it out. */
export const CHOICES: Partial<Record<FieldName, string[]>> = {
  delimiter: [",", ";", "\t", "|", ":", "~", "^", "spaces"],
  quote: ['"', "'", "none"],
  escape: ["doubled", "backslash"],
  header: ["true", "false"],
  encoding: ["utf-8", "utf-16", "latin-1", "windows-1252", "windows-1250", "windows-1251", "iso-8859-2", "iso-8859-15", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "mac-roman", "windows-1253", "windows-1254", "koi8-r", "cp850"],
  decimal: [".", ","],
  thousands: [",", ".", " ", "'", "none"],
  dates: ["iso", "days", "keep"],
  image_mode: ["grey", "rgb"],
};
export const COUNTS: FieldName[] = ["skip_lines", "skip_footer"];

export interface Source {
  kind?: string;
  format?: string;
  read?: Record<string, unknown>;
  given?: Record<string, unknown>;
  files?: { format?: string; read?: Record<string, unknown> }[];
}

/** The fields that mean something for a file; of several files, those of the first. */
export function fieldsOf(source: Source): FieldName[] {
  return BY_FORMAT[source.format ?? source.files?.[0]?.format ?? ""] ?? [];
}

/** What a field was read as, in words of the form; undefined where nothing is told of it. */
export function foundFor(source: Source, name: FieldName): string | undefined {
  const read = source.read ?? source.files?.[0]?.read ?? {};
  const value = read[name];
  if (value === undefined || name === "missing") return undefined;
  if (value === null) return "none";
  return typeof value === "object" ? undefined : String(value);
}

/** The fields as the form shows them: what was given, "" for what is to be found out. */
export function givenIn(source: Source): Record<string, string> {
  const given = source.given ?? {};
  return Object.fromEntries(fieldsOf(source).map((name) => [name, asText(given[name])]));
}

/** In the form, `missing` given as empty (only empty cells are gaps) is told apart from not given. */
export const ONLY_EMPTY = '""';

function asText(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (value === "") return ONLY_EMPTY;
  return Array.isArray(value) ? value.join(",") : String(value);
}

/** What to send for the fields that differ from what was given: null has a field found out again. */
export function changesOf(source: Source, form: Record<string, string>): Record<string, unknown> {
  const before = givenIn(source);
  const changed = fieldsOf(source).filter((name) => (form[name] ?? "") !== before[name]);
  return Object.fromEntries(changed.map((name) => [name, sent(name, form[name] ?? "")]));
}

function sent(name: FieldName, value: string): unknown {
  if (value === "") return null;
  if (value === ONLY_EMPTY) return "";
  if (name === "header") return value === "true";
  if (COUNTS.includes(name)) return Number(value);
  if (name === "words") return value.split(",").map((word) => word.trim()).filter(Boolean);
  return value;
}
