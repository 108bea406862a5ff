/** A curve with the steps of descents on it, the tangent at each, and a start that can be dragged. */
import { bisectCenter } from "d3-array";
import { scaleLinear } from "d3-scale";
import { useId, useState } from "preact/hooks";
import { number } from "~/text/format";
import { landscapeText } from "~/text/landscape";
import { Axes, MARGIN } from "./Axes";
import { seriesLook } from "./colours";
import { Handle, held, stepOf } from "./Handle";
import { extent } from "./Scatter";
import { useWidth } from "./size";
import "./landscape.css";

/** Points that follow one another, and the line that touches the curve at the last of them. */
export interface Descent {
  name: string;
  points: { x: number; y: number }[];
  tangent?: { slope: number; intercept: number };
  look?: number;
}

interface Props {
  label: string;
  x: number[];
  y: number[];
  paths: Descent[];
  xLabel: string;
  yLabel: string;
  height?: number;
  start?: number;
  /** Called while the reader moves the start; without it the start stays. */
  onStart?: (start: number) => void;
}

/** Share of the axis that a tangent is drawn over. */
const TANGENT = 0.36;

export function Curve({ label, x: givenX, y: givenY, paths, xLabel, yLabel, height = 340, start, onStart }: Props) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const [still, hold] = useState<{ x: number[]; y: number[] } | null>(null);
  const { x, y } = still ?? { x: givenX, y: givenY };
  const clip = useId();
  const across = scaleLinear([x[0]!, x[x.length - 1]!], [MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)]);
  const up = scaleLinear(extent([y]), [height - MARGIN.bottom, MARGIN.top]);
  const path = (all: { x: number; y: number }[]) => all.map((point, place) => `${place ? "L" : "M"}${across(point.x).toFixed(1)},${up(point.y).toFixed(1)}`).join("");
  const reach = ((x[x.length - 1]! - x[0]!) * TANGENT) / 2;
  const touching = ({ slope, intercept }: { slope: number; intercept: number }, at: number) => path([at - reach, at + reach].map((place) => ({ x: place, y: intercept + slope * place })));
  return (
    <div ref={frame}>
      {width > 0 && (
        <svg class="chart" width={width} height={height} role={onStart ? "group" : "img"} aria-label={label}>
          <Axes {...{ x: across, y: up, width, height, xLabel, yLabel }} />
          <clipPath id={clip}>
            <rect x={MARGIN.left} y={0} width={Math.max(0, width - MARGIN.left - MARGIN.right)} height={height - MARGIN.bottom} />
          </clipPath>
          <g clip-path={`url(#${clip})`}>
            <path d={path(x.map((at, place) => ({ x: at, y: y[place]! })))} fill="none" stroke="var(--text)" stroke-width="2" />
            {paths.map(({ name, points, tangent, look }, index) => {
              const { colour } = seriesLook(look ?? index + 1);
              const last = points[points.length - 1];
              return (
                <g key={name}>
                  {tangent && last && <path d={touching(tangent, last.x)} fill="none" stroke={colour} stroke-width="2.5" />}
                  <path d={path(points)} fill="none" stroke={colour} stroke-width="1" stroke-dasharray="3 3" />
                  {points.map((point, place) => (
                    <circle key={place} cx={across(point.x)} cy={up(point.y)} r={place === points.length - 1 ? 6 : 3} fill={colour} opacity={place === points.length - 1 ? 1 : 0.6} />
                  ))}
                </g>
              );
            })}
          </g>
          {onStart && start !== undefined && (
            <Handle
              x={across(start)}
              y={up(y[bisectCenter(x, start)] ?? 0)}
              label={landscapeText().startOne(xLabel, number(start))}
              onDrag={(at) => onStart(held(across.invert(at), x))}
              onKey={(right) => onStart(held(start + right * stepOf(x), x))}
              onHold={(isHeld) => hold(isHeld ? { x: givenX, y: givenY } : null)}
            />
          )}
        </svg>
      )}
    </div>
  );
}
