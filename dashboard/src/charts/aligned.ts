/** Several series on one axis, as uPlot takes them: one ascending x, and for each series a value or null at every x. */
export interface Series {
  name: string;
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  /** Least and greatest of what each point stands for; drawn as a band. */
  min?: ArrayLike<number>;
  max?: ArrayLike<number>;
  /** Which of the series colours it has; otherwise its place in the list. */
  look?: number;
  /** Drawn thin and pale, as the raw values behind a smoothed line. */
  isFaint?: boolean;
}

export type Scale = "linear" | "log" | "arcsinh";

/** A logarithm knows no value that is not positive; uPlot draws nothing that is not finite. */
const drawable = (value: number, scale: Scale): number | null => (Number.isFinite(value) && (scale !== "log" || value > 0) ? value : null);

/** One x for all, ascending and without doubles, and columns of equal length: y of each series, or min, max and y where it has a band. */
export function align(series: Series[], scale: Scale): { x: number[]; columns: (number | null)[][]; left_out: number } {
  const first = series[0];
  const isShared = first !== undefined && series.every((one) => one.x === first.x);
  const x = isShared && first ? Array.from(first.x) : [...new Set(series.flatMap((one) => Array.from(one.x)))].sort((a, b) => a - b);
  const places = isShared ? null : new Map(x.map((value, place) => [value, place]));
  let left_out = 0;
  const columns: (number | null)[][] = [];
  for (const one of series) {
    const parts = one.min && one.max ? [one.min, one.max, one.y] : [one.y];
    for (const part of parts) {
      const column: (number | null)[] = new Array(x.length).fill(null);
      for (let k = 0; k < one.x.length; k++) {
        const value = drawable(part[k] as number, scale);
        if (value === null && part === one.y) left_out += 1;
        column[places ? (places.get(one.x[k] as number) as number) : k] = value;
      }
      columns.push(column);
    }
  }
  return { x, columns, left_out };
}

/**
 * The part of `all` that is shown after a zoom: `factor` times as much as in `range` (null: all), with `centre` (null: the middle)
 * where it was, and moved by `shift` times its width; null where that is all.
 */
export function zoomed(all: [number, number], range: [number, number] | null, factor: number, centre: number | null, shift = 0): [number, number] | null {
  const [low, high] = range ?? all;
  const fixed = centre ?? (low + high) / 2;
  const width = Math.min((high - low) * factor, all[1] - all[0]);
  if (width >= all[1] - all[0]) return null;
  const share = high > low ? (fixed - low) / (high - low) : 0.5;
  const first = Math.min(Math.max(fixed - share * width + shift * width, all[0]), all[1] - width);
  return [first, first + width];
}
