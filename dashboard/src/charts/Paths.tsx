/** Lines through points in the order given, where x may stand still or go back: ROC and precision–recall curves. */
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { useState } from "preact/hooks";
import { number } from "~/text/format";
import { Axes, MARGIN } from "./Axes";
import { seriesLook } from "./colours";
import { nearest, placeOf } from "./nearest";
import { useWidth } from "./size";

export interface Path {
  name: string;
  x: number[];
  y: number[];
  /** Told beside the point under the cursor, such as its threshold. */
  notes?: string[];
}

interface Props {
  label: string;
  paths: Path[];
  xLabel: string;
  yLabel: string;
  xRange?: [number, number];
  yRange?: [number, number];
  /** A dashed line from one corner to the other, for comparison. */
  diagonal?: boolean;
  height?: number;
  /** Points beside the lines. */
  points?: { x: number[]; y: number[] };
  /** Names of places along x, for categories. */
  xNames?: string[];
}

const NEAR_PIXELS = 30;

export function Paths({ label, paths, xLabel, yLabel, xRange = [0, 1], yRange = [0, 1], diagonal = false, height = 280, points: others, xNames }: Props) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const [near, setNear] = useState<ReturnType<typeof nearest>>(null);
  const x = scaleLinear(xRange, [MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)]);
  const y = scaleLinear(yRange, [height - MARGIN.bottom, MARGIN.top]);
  const draw = line<number>();
  const find = (event: PointerEvent) => setNear(nearest(paths, x, y, placeOf(event), NEAR_PIXELS));
  const shown = near && paths[near.list];
  return (
    <div ref={frame}>
      {width > 0 && (
        <svg class="chart" width={width} height={height} role="img" aria-label={label} onPointerMove={find} onPointerLeave={() => setNear(null)}>
          <Axes {...{ x, y, width, height, xLabel, yLabel, xNames }} />
          {others?.x.map((value, k) => <circle key={k} class="beside" cx={x(value)} cy={y(others.y[k] as number)} r="2.5" />)}
          {diagonal && <line class="guide" x1={x(xRange[0])} y1={y(yRange[0])} x2={x(xRange[1])} y2={y(yRange[1])} />}
          {paths.map((path, index) => {
            const look = seriesLook(index);
            const points = path.x.map((_, k) => k).filter((k) => Number.isFinite(path.x[k]) && Number.isFinite(path.y[k]));
            const d = draw.x((k) => x(path.x[k] as number)).y((k) => y(path.y[k] as number))(points);
            return (
              <g key={path.name}>
                <path d={d ?? ""} fill="none" stroke={look.colour} stroke-width={xNames ? 1 : 2} opacity={xNames ? 0.4 : 1} stroke-dasharray={look.dash.join(" ")} />
                {xNames && points.map((k) => <circle key={k} cx={x(path.x[k] as number)} cy={y(path.y[k] as number)} r="4" fill={look.colour} />)}
              </g>
            );
          })}
          {near && shown && <circle cx={x(shown.x[near.point] as number)} cy={y(shown.y[near.point] as number)} r="4" fill={seriesLook(near.list).colour} />}
        </svg>
      )}
      <p class="reading" aria-hidden="true">
        {near && shown ? `${shown.name}: ${xLabel} ${number(shown.x[near.point])}, ${yLabel} ${number(shown.y[near.point])}${shown.notes ? `, ${shown.notes[near.point]}` : ""}` : "\u00a0"}
      </p>
      {paths.length > 1 && <Legend names={paths.map((path) => path.name)} />}
    </div>
  );
}

/** Names beside their colours. */
export function Legend({ names }: { names: string[] }) {
  return (
    <ul class="legend plain">
      {names.map((name, index) => {
        const look = seriesLook(index);
        return (
          <li key={name}>
            <svg width="18" height="8" aria-hidden="true">
              <line x1="0" x2="18" y1="4" y2="4" stroke={look.colour} stroke-width="3" stroke-dasharray={look.dash.join(" ")} />
            </svg>
            {name}
          </li>
        );
      })}
    </ul>
  );
}
