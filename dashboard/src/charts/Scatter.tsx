/** Points in a plane, in groups of one colour each: numbers in, a canvas out. */
import { scaleLinear } from "d3-scale";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { isDark } from "~/state/preferences";
import { number } from "~/text/format";
import { Axes, MARGIN } from "./Axes";
import { colour, seriesLook } from "./colours";
import { Legend } from "./Paths";
import { nearest, placeOf } from "./nearest";
import { prepared, useWidth } from "./size";

export interface Group {
  name: string;
  x: number[];
  y: number[];
  /** Told of the point under the cursor, such as its row. */
  notes?: string[];
  /** Which of the series colours it has; otherwise its place in the list. */
  look?: number;
}

/** A line through points, as what a model answers along x. */
export interface Through {
  name: string;
  points: [number, number][];
  look?: number;
}

/** A place that is marked over the points, in the colour of the group at its place in the list. */
export interface Mark {
  name: string;
  x: number;
  y: number;
}

interface Props {
  label: string;
  groups: Group[];
  marks?: Mark[];
  curves?: Through[];
  xLabel: string;
  yLabel: string;
  /** A line on which x and y are equal. */
  diagonal?: boolean;
  height?: number;
  /** Whether several groups are named below; by default they are. */
  hasLegend?: boolean;
  /** Names of y's places 0, 1, … in the place of numbers. */
  yNames?: string[];
}

const NO_MARKS: Mark[] = [];
const NO_CURVES: Through[] = [];
/** Marks whose names are written beside them, at most. */
const MOST_NAMED = 64;
const ARM = 7;
const NEAR_PIXELS = 16;
const RADIUS = 3;

/** The least and greatest finite number, with a little room at both ends. */
export function extent(lists: number[][]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const list of lists) {
    for (const value of list) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return [0, 1];
  const room = (high - low) * 0.04 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

export function Scatter({ label, groups, marks = NO_MARKS, curves = NO_CURVES, xLabel, yLabel, diagonal = false, height = 320, hasLegend = true, yNames }: Props) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [near, setNear] = useState<ReturnType<typeof nearest>>(null);
  const clip = useId();
  const dark = isDark.value;
  const [x, y] = useMemo(() => {
    const all_x = [...groups.map((group) => group.x), marks.map((mark) => mark.x)];
    const all_y = [...groups.map((group) => group.y), marks.map((mark) => mark.y)];
    const ranges = diagonal ? [extent([...all_x, ...all_y]), extent([...all_x, ...all_y])] : [extent(all_x), extent(all_y)];
    return [
      scaleLinear(ranges[0] as [number, number], [MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)]),
      scaleLinear(ranges[1] as [number, number], [height - MARGIN.bottom, MARGIN.top]),
    ] as const;
  }, [groups, marks, width, height, diagonal]);
  useEffect(() => {
    if (!canvas.current || width === 0) return;
    const context = prepared(canvas.current, width, height);
    groups.forEach((group, index) => {
      context.fillStyle = seriesLook(group.look ?? index).colour;
      context.globalAlpha = group.x.length > 1_000 ? 0.4 : 0.7;
      for (let point = 0; point < group.x.length; point++) {
        context.beginPath();
        context.arc(x(group.x[point] as number), y(group.y[point] as number), RADIUS, 0, 2 * Math.PI);
        context.fill();
      }
    });
    context.globalAlpha = 1;
    marks.forEach((mark, index) => cross(context, x(mark.x), y(mark.y), seriesLook(index).colour, marks.length <= MOST_NAMED ? mark.name : ""));
  }, [groups, marks, x, y, width, height, dark]);
  const find = (event: PointerEvent) => setNear(nearest(groups, x, y, placeOf(event), NEAR_PIXELS));
  const shown = near && groups[near.list];
  const [low, high] = x.domain() as [number, number];
  return (
    <div>
      <div ref={frame} class="layers" style={{ height: `${height}px` }} onPointerMove={find} onPointerLeave={() => setNear(null)}>
        {width > 0 && (
          <svg class="chart" width={width} height={height} role="img" aria-label={label}>
            <Axes {...{ x, y, width, height, xLabel, yLabel, yNames }} />
            <clipPath id={clip}>
              <rect x={MARGIN.left} y={MARGIN.top} width={Math.max(0, width - MARGIN.left - MARGIN.right)} height={height - MARGIN.top - MARGIN.bottom} />
            </clipPath>
            <g clip-path={`url(#${clip})`}>
              {curves.map(({ name, points, look: place }, index) => {
                const look = seriesLook(place ?? index);
                return <path key={name} d={`M${points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join("L")}`} fill="none" stroke={look.colour} stroke-width="2" stroke-dasharray={look.dash.join(" ")} />;
              })}
            </g>
            {diagonal && <line class="guide" x1={x(low)} y1={y(low)} x2={x(high)} y2={y(high)} />}
          </svg>
        )}
        <canvas ref={canvas} aria-hidden="true" />
      </div>
      <p class="reading" aria-hidden="true">
        {near && shown
          ? `${groups.length > 1 ? `${shown.name}: ` : ""}${xLabel} ${number(shown.x[near.point])}, ${yLabel} ${number(shown.y[near.point])}${shown.notes ? `, ${shown.notes[near.point]}` : ""}`
          : "\u00a0"}
      </p>
      {hasLegend && groups.length > 1 && <Legend names={groups.map((group) => group.name)} />}
    </div>
  );
}

/** A cross that stands out from points of its own colour, with its name beside it. */
function cross(context: CanvasRenderingContext2D, x: number, y: number, inside: string, name: string): void {
  const arms = new Path2D(`M${x - ARM} ${y - ARM}L${x + ARM} ${y + ARM}M${x - ARM} ${y + ARM}L${x + ARM} ${y - ARM}`);
  context.lineCap = "round";
  for (const [width, look] of [[8, colour("--background")], [6, colour("--text")], [2.5, inside]] as const) {
    context.lineWidth = width;
    context.strokeStyle = look;
    context.stroke(arms);
  }
  context.font = "bold 13px system-ui, sans-serif";
  context.lineWidth = 4;
  context.strokeStyle = colour("--background");
  context.strokeText(name, x + ARM + 4, y - ARM + 2);
  context.fillStyle = colour("--text");
  context.fillText(name, x + ARM + 4, y - ARM + 2);
}
