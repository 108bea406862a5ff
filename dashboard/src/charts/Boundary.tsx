/** What a model predicts over a plane, as colour, with points on it: numbers in, a canvas out. */
import { scaleLinear } from "d3-scale";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { isDark } from "~/state/preferences";
import { number, percent } from "~/text/format";
import { Axes, MARGIN } from "./Axes";
import { colour, diverging, seriesLook } from "./colours";
import { parts } from "./hex";
import { placeOf } from "./nearest";
import { prepared, useWidth } from "./size";

/** The cells of one axis: evenly spaced numbers, or names. */
export interface Cells {
  label: string;
  values: number[] | string[];
}

export interface Point {
  x: number;
  y: number;
  /** The class's index, or a number; null where it is of none. */
  value: number | null;
}

interface Props {
  label: string;
  x: Cells;
  y: Cells;
  /** y down the list, x across: each a class's index, or a number. */
  values: number[][];
  /** Of classes: how sure the model is, from 0 to 1. */
  certainty?: number[][];
  /** Names of classes; without them the values are numbers. */
  classes?: string[];
  points: Point[];
  height?: number;
}

const isNamed = (values: number[] | string[]): values is string[] => typeof values[0] === "string";

/** A scale from a cell's value (a name's index) to pixels, half a cell beyond the outermost at both ends. */
function scaleOf({ values }: Cells, pixels: [number, number]) {
  const [low, high] = isNamed(values) ? [0, values.length - 1] : [values[0] as number, values[values.length - 1] as number];
  const half = values.length > 1 ? (high - low) / (values.length - 1) / 2 : 0.5;
  return scaleLinear([low - half, high + half], pixels);
}

export function Boundary({ label, x, y, values, certainty, classes, points, height = 420 }: Props) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [cell, setCell] = useState<[number, number] | null>(null);
  const dark = isDark.value;
  const [low, high] = useMemo(() => {
    const all = values.flat().filter(Number.isFinite);
    return [all.reduce((a, b) => Math.min(a, b), Infinity), all.reduce((a, b) => Math.max(a, b), -Infinity)];
  }, [values]);
  const xs = scaleOf(x, [MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)]);
  const ys = scaleOf(y, [height - MARGIN.bottom, MARGIN.top]);
  useEffect(() => {
    if (!canvas.current || width === 0) return;
    const context = prepared(canvas.current, width, height);
    const behind = parts(colour("--background"));
    const looks = classes?.map((_, index) => seriesLook(index).colour) ?? [];
    const fulls = looks.map(parts);
    const shade = (value: number, sure: number): [number, number, number] => {
      const full = fulls[value];
      if (!full) return diverging(high > low ? ((value - low) / (high - low)) * 2 - 1 : 0);
      const share = 0.15 + 0.6 * sure;
      return [0, 1, 2].map((k) => (behind[k] as number) * (1 - share) + (full[k] as number) * share) as [number, number, number];
    };
    const baseline = classes ? 1 / classes.length : 0;
    const [columns, rows] = [x.values.length, y.values.length];
    const image = new ImageData(columns, rows);
    values.forEach((row, down) => {
      row.forEach((value, across) => {
        const sure = certainty ? Math.max(0, ((certainty[down]?.[across] ?? 1) - baseline) / (1 - baseline || 1)) : 1;
        const at = ((rows - 1 - down) * columns + across) * 4;
        const [red, green, blue] = Number.isFinite(value) ? shade(value, sure) : [128, 128, 128];
        image.data.set([red, green, blue, 255], at);
      });
    });
    const small = new OffscreenCanvas(columns, rows);
    (small.getContext("2d") as OffscreenCanvasRenderingContext2D).putImageData(image, 0, 0);
    context.imageSmoothingEnabled = !isNamed(x.values) && !isNamed(y.values);
    context.imageSmoothingQuality = "high";
    const [left, right] = xs.range() as [number, number];
    const [bottom, top] = ys.range() as [number, number];
    context.drawImage(small, left, top, right - left, bottom - top);
    context.strokeStyle = colour("--background");
    context.lineWidth = 1;
    context.beginPath();
    context.rect(left, top, right - left, bottom - top);
    context.clip();
    for (const point of points) {
      context.fillStyle = point.value === null ? colour("--text") : (looks[point.value] ?? `rgb(${shade(point.value, 1).join(",")})`);
      context.beginPath();
      context.arc(xs(point.x), ys(point.y), 3.5, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }, [values, certainty, points, width, height, dark]);
  const find = (event: PointerEvent) => {
    const at = placeOf(event);
    const place = (value: number, scale: ReturnType<typeof scaleOf>, count: number) => {
      const [start, end] = scale.domain() as [number, number];
      return Math.floor(((scale.invert(value) - start) / (end - start)) * count);
    };
    const across = place(at[0], xs, x.values.length);
    const down = place(at[1], ys, y.values.length);
    setCell(across >= 0 && down >= 0 && across < x.values.length && down < y.values.length ? [down, across] : null);
  };
  const told = (values: number[] | string[], at: number) => (isNamed(values) ? (values[at] as string) : number(values[at] as number));
  const value = cell && values[cell[0]]?.[cell[1]];
  const sure = cell && certainty?.[cell[0]]?.[cell[1]];
  return (
    <div>
      <div ref={frame} class="layers" style={{ height: `${height}px` }} onPointerMove={find} onPointerLeave={() => setCell(null)}>
        <canvas ref={canvas} aria-hidden="true" />
        {width > 0 && (
          <svg class="chart" width={width} height={height} role="img" aria-label={label}>
            <Axes x={xs} y={ys} width={width} height={height} xLabel={x.label} yLabel={y.label} hasGrid={false} xNames={isNamed(x.values) ? x.values : undefined} yNames={isNamed(y.values) ? y.values : undefined} />
          </svg>
        )}
      </div>
      <p class="reading" aria-hidden="true">
        {cell && value !== null && value !== undefined
          ? `${x.label} ${told(x.values, cell[1])}, ${y.label} ${told(y.values, cell[0])}: ${classes ? classes[value] : number(value)}${sure === undefined || sure === null ? "" : ` (${percent(sure, 1)})`}`
          : classes
            ? "\u00a0"
            : `${number(low)} … ${number(high)}`}
      </p>
    </div>
  );
}

/** A small picture of one unit's answers over the plane: above zero in one colour, below in another. */
export function UnitMap({ label, grid, largest: given }: { label: string; grid: number[][]; largest?: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = isDark.value;
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const [rows, columns] = [grid.length, grid[0]?.length ?? 0];
    element.width = columns;
    element.height = rows;
    const largest = given ?? (grid.flat().reduce((most, value) => Math.max(most, Math.abs(value) || 0), 0) || 1);
    const image = new ImageData(columns, rows);
    grid.forEach((row, down) => row.forEach((value, across) => image.data.set([...diverging(value / largest), 255], ((rows - 1 - down) * columns + across) * 4)));
    element.getContext("2d")?.putImageData(image, 0, 0);
  }, [grid, given, dark]);
  return <canvas ref={canvas} role="img" aria-label={label} />;
}
