/** Levels and lines of equal cost over a grid. */
import { quantileSorted } from "d3-array";
import { contours } from "d3-contour";

/** A cost on a grid: y down the rows, x across; both ascending and even. */
export interface Grid {
  x: number[];
  y: number[];
  values: number[][];
}

export interface Levels {
  least: number;
  /** Levels above the least, each as many times the one before. */
  steps: number[];
}

/** Levels that grow by one factor from the deepest places to the highest: as close together in a valley as on a slope. */
export function logLevels(grid: Grid, count = 16): Levels {
  const all = grid.values.flat().filter(Number.isFinite).sort((a, b) => a - b);
  const least = all[0] ?? 0;
  const span = (all[all.length - 1] ?? 0) - least;
  if (span === 0) return { least, steps: [] };
  const low = Math.max((quantileSorted(all, 0.005) ?? least) - least, span * 1e-6);
  const factor = (span / low) ** (1 / count);
  return { least, steps: Array.from({ length: count }, (_, step) => low * factor ** step) };
}

/** Where a value stands among the levels, from 0 at the deepest to 1. */
export function standing({ least, steps }: Levels, value: number): number {
  const low = steps[0];
  const high = steps[steps.length - 1];
  if (low === undefined || high === undefined || high === low) return 0;
  return Math.min(1, Math.max(0, Math.log(Math.max(value - least, low) / low) / Math.log(high / low)));
}

/** The lines of every level, as rings of points in the grid's own units. */
export function lines(grid: Grid, levels: Levels): { level: number; rings: [number, number][][] }[] {
  const [columns, rows] = [grid.x.length, grid.y.length];
  const scaled = (axis: number[], place: number) => axis[0]! + ((place - 0.5) / (axis.length - 1)) * (axis[axis.length - 1]! - axis[0]!);
  const made = contours().size([columns, rows]).thresholds(levels.steps.map((step) => levels.least + step))(grid.values.flat());
  return made.map(({ value, coordinates }) => ({
    level: value,
    rings: coordinates.flatMap((polygon) => polygon.map((ring) => ring.map(([x, y]): [number, number] => [scaled(grid.x, x!), scaled(grid.y, y!)]))),
  }));
}
