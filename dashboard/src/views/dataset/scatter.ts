/** Points of a scatter plot in groups of one colour, by a third column. */

export interface Grouped {
  name: string;
  x: number[];
  y: number[];
  rows: number[];
}

/** Classes of their own colour; the rest share one. */
export const MOST_CLASSES = 7;
const RANGES = 5;

/**
 * Cells of [x, y, by?] as groups. Words, whole numbers and booleans of few values are classes, the most frequent first; other numbers
 * are parted into ranges that hold as many points each. Rows without x or y are left out; without `by` they are a group of their own.
 */
export function grouped(cells: (unknown[])[], rows: number[], isNumeric: boolean, words: { others: string; missing: string; range: (low: number, high: number) => string; name: (value: unknown) => string }): Grouped[] {
  const points = cells
    .map((row, place) => ({ x: row[0], y: row[1], by: row[2], row: rows[place] as number }))
    .filter((point): point is { x: number; y: number; by: unknown; row: number } => typeof number(point.x) === "number" && typeof number(point.y) === "number")
    .map((point) => ({ ...point, x: Number(point.x), y: Number(point.y) }));
  const nameOf = isNumeric && new Set(points.map((point) => point.by)).size > MOST_CLASSES ? rangeOf(points.map((point) => point.by), words.range) : classOf(points.map((point) => point.by), words);
  const groups = new Map<string, Grouped>();
  for (const name of nameOf.names) groups.set(name, { name, x: [], y: [], rows: [] });
  for (const point of points) {
    const name = point.by === null ? words.missing : nameOf.of(point.by);
    let group = groups.get(name);
    if (!group) groups.set(name, (group = { name, x: [], y: [], rows: [] }));
    group.x.push(point.x);
    group.y.push(point.y);
    group.rows.push(point.row);
  }
  return [...groups.values()].filter((group) => group.x.length > 0);
}

const number = (value: unknown) => (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value)) ? Number(value) : undefined);

interface Naming {
  names: string[];
  of: (value: unknown) => string;
}

function classOf(values: unknown[], words: { others: string; name: (value: unknown) => string }): Naming {
  const counts = new Map<unknown, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  const frequent = [...counts].sort((one, other) => other[1] - one[1]).map(([value]) => value);
  const own = frequent.length > MOST_CLASSES + 1 ? frequent.slice(0, MOST_CLASSES) : frequent;
  const sorted = own.every((value) => typeof value === "number") ? (own as number[]).sort((one, other) => one - other) : own;
  const known = new Set<unknown>(sorted);
  return { names: [...sorted.map(words.name), words.others], of: (value) => (known.has(value) ? words.name(value) : words.others) };
}

function rangeOf(values: unknown[], range: (low: number, high: number) => string): Naming {
  const sorted = values.filter((value): value is number => typeof value === "number").sort((one, other) => one - other);
  const edges = Array.from({ length: RANGES + 1 }, (_, place) => sorted[Math.min(sorted.length - 1, Math.round((place * (sorted.length - 1)) / RANGES))] as number);
  const distinct = edges.filter((edge, place) => place === 0 || edge > (edges[place - 1] as number));
  const names = distinct.slice(1).map((edge, place) => range(distinct[place] as number, edge));
  const of = (value: unknown) => {
    const place = distinct.slice(1).findIndex((edge) => (value as number) <= edge);
    return names[place < 0 ? names.length - 1 : place] as string;
  };
  return { names, of };
}
