/** Numbers counted in equal bins over a range; those outside it and those that are not finite are left out. */
export function binned(values: number[], [low, high]: [number, number], bins = 30): { edges: number[]; counts: number[] } {
  const edges = Array.from({ length: bins + 1 }, (_, k) => low + ((high - low) * k) / bins);
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    if (!Number.isFinite(value) || value < low || value > high) continue;
    const bin = Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins));
    counts[bin] = (counts[bin] as number) + 1;
  }
  return { edges, counts };
}
