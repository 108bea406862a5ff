/** Cells of a square of numbers, and the ways between them. */

/** Where an arrow key leads from a cell of a square of `count`; null for another key. */
export function moved([row, column]: [number, number], key: string, count: number): [number, number] | null {
  const steps: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  if (key === "Home") return [row, 0];
  if (key === "End") return [row, count - 1];
  const step = steps[key];
  if (!step) return null;
  const within = (place: number) => Math.min(count - 1, Math.max(0, place));
  return [within(row + step[0]), within(column + step[1])];
}

/** Pairs of names with their number, those furthest from 0 first, each pair once. */
export function strongest(names: string[], matrix: (number | null)[][]): [string, string, number][] {
  const pairs: [string, string, number][] = [];
  matrix.forEach((row, down) => {
    for (let across = 0; across < down; across++) {
      const value = row[across];
      if (typeof value === "number") pairs.push([names[across] as string, names[down] as string, value]);
    }
  });
  return pairs.sort((one, other) => Math.abs(other[2]) - Math.abs(one[2]));
}
