/** Rows that people paste or drop, as the API takes them. */
export interface Table {
  columns: string[];
  data: unknown[][];
}

export const MOST_ROWS = 100_000;

/** Why text is no rows: a code, with what belongs into its sentence. */
export class NoRows extends Error {
  constructor(
    readonly code: "noRows" | "cells" | "noHeader" | "notJson" | "notRows" | "tooMany",
    readonly given: (string | number)[] = [],
  ) {
    super(code);
  }
}

/** The rows of a text in CSV, TSV or JSON, for a model that takes these columns. Throws NoRows. */
export function rowsOf(text: string, inputs: string[]): Table {
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  if (trimmed === "") throw new NoRows("noRows");
  const table = trimmed.startsWith("{") || trimmed.startsWith("[") ? fromJson(trimmed) : fromCells(trimmed, inputs);
  if (table.data.length === 0) throw new NoRows("noRows");
  if (table.data.length > MOST_ROWS) throw new NoRows("tooMany", [MOST_ROWS]);
  return table;
}

function fromJson(text: string): Table {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (thrown) {
    try {
      found = text.split(/\r?\n/).filter((line) => line.trim()).map((line) => JSON.parse(line) as unknown); // JSON Lines
    } catch {
      throw new NoRows("notJson", [(thrown as Error).message]);
    }
  }
  if (isObject(found) && Array.isArray(found.columns) && Array.isArray(found.data) && found.data.every(Array.isArray)) {
    const columns = found.columns.map(String);
    const data = found.data as unknown[][];
    data.forEach((cells, row) => refuseOther(cells, row, columns));
    return { columns, data };
  }
  const records = isObject(found) ? (Array.isArray(found.records) ? (found.records as unknown[]) : [found]) : found;
  if (!Array.isArray(records) || !records.every(isObject)) throw new NoRows("notRows");
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return { columns, data: records.map((record) => columns.map((column) => record[column] ?? null)) };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function fromCells(text: string, inputs: string[]): Table {
  const lines = cellsOf(text, delimiterOf(text));
  const first = lines[0] as string[];
  const names = first.map((cell) => cell.trim());
  const isHeader = names.some((name) => inputs.includes(name));
  if (!isHeader && first.length !== inputs.length) throw new NoRows("noHeader", [first.length, inputs.length]);
  const columns = isHeader ? names : inputs;
  const data = isHeader ? lines.slice(1) : lines;
  data.forEach((cells, row) => refuseOther(cells, row, columns));
  return { columns, data: data.map((cells) => cells.map((cell) => (cell.trim() === "" ? null : cell))) };
}

function refuseOther(cells: unknown[], row: number, columns: string[]): void {
  if (cells.length !== columns.length) throw new NoRows("cells", [row + 1, cells.length, columns.length]);
}

/** What stands between the cells of the first line most often, outside of quotes. */
function delimiterOf(text: string): string {
  const line = (text.split(/\r?\n/, 1)[0] as string).replace(/"[^"]*"/g, "");
  const counts = ["\t", ";", ","].map((mark) => [line.split(mark).length, mark] as const);
  return counts.reduce((best, next) => (next[0] > best[0] ? next : best))[1];
}

/** Lines of cells (RFC 4180); empty lines are none. */
function cellsOf(text: string, delimiter: string): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  let cell = "";
  let isQuoted = false;
  const endLine = () => {
    line.push(cell);
    if (line.length > 1 || cell.trim() !== "") lines.push(line);
    line = [];
    cell = "";
  };
  for (let place = 0; place < text.length; place++) {
    const letter = text[place] as string;
    if (isQuoted) {
      if (letter !== '"') cell += letter;
      else if (text[place + 1] === '"') cell += text[++place];
      else isQuoted = false;
    } else if (letter === '"' && cell.trim() === "") {
      cell = "";
      isQuoted = true;
    } else if (letter === delimiter) {
      line.push(cell);
      cell = "";
    } else if (letter === "\n") {
      endLine();
    } else if (letter !== "\r") {
      cell += letter;
    }
  }
  endLine();
  return lines;
}

/** Where a problem of a table points to: a cell, by its row from 1 and its column, a column, or neither. */
export function placeOf(pointer: string, columns: string[]): { row?: number; column?: string } {
  const cell = /^\/data\/(\d+)(?:\/(\d+))?/.exec(pointer);
  if (cell) return { row: Number(cell[1]) + 1, column: cell[2] === undefined ? undefined : columns[Number(cell[2])] };
  const column = /^\/columns\/(\d+)/.exec(pointer);
  return column ? { column: columns[Number(column[1])] } : {};
}
