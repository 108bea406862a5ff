/** Axes of an x–y chart, as SVG. */
import type { ScaleLinear } from "d3-scale";
import { tick as short } from "~/text/format";

export const MARGIN = { top: 8, right: 12, bottom: 38, left: 52 };

interface Props {
  x: ScaleLinear<number, number>;
  y: ScaleLinear<number, number>;
  width: number;
  height: number;
  xLabel: string;
  yLabel: string;
  hasGrid?: boolean;
  /** Named places instead of numbers, for categories. */
  xNames?: string[];
  yNames?: string[];
}

/** Letters of a name beside the upright axis, and at least of one below the other. */
const LETTERS = 8;
const LETTER_PIXELS = 8;
const cut = (name: string, most: number) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);

export function Axes({ x, y, width, height, xLabel, yLabel, hasGrid = true, xNames, yNames }: Props) {
  const bottom = height - MARGIN.bottom;
  const right = width - MARGIN.right;
  const room = Math.max(LETTERS, Math.floor((right - MARGIN.left) / LETTER_PIXELS / (xNames?.length || 1)));
  const written = (tick: number, names: string[] | undefined, most = LETTERS) => (names ? cut(names[tick] ?? "", most) : short(tick));
  return (
    <g class="axes">
      {(xNames?.map((_, k) => k) ?? x.ticks(Math.max(2, Math.floor(width / 90)))).map((tick) => (
        <g key={tick} transform={`translate(${x(tick)},0)`}>
          {hasGrid && <line class="grid" y1={MARGIN.top} y2={bottom} />}
          <text y={bottom + 15} text-anchor="middle">
            {written(tick, xNames, room)}
          </text>
        </g>
      ))}
      {(yNames?.map((_, k) => k) ?? y.ticks(Math.max(2, Math.floor(height / 60)))).map((tick) => (
        <g key={tick} transform={`translate(0,${y(tick)})`}>
          {hasGrid && <line class="grid" x1={MARGIN.left} x2={right} />}
          <text x={MARGIN.left - 6} dy="0.32em" text-anchor="end">
            {written(tick, yNames)}
          </text>
        </g>
      ))}
      <line class="axis" x1={MARGIN.left} x2={right} y1={bottom} y2={bottom} />
      <line class="axis" x1={MARGIN.left} x2={MARGIN.left} y1={MARGIN.top} y2={bottom} />
      <text x={(MARGIN.left + right) / 2} y={height - 4} text-anchor="middle">
        {xLabel}
      </text>
      <text transform={`translate(11,${(MARGIN.top + bottom) / 2}) rotate(-90)`} text-anchor="middle">
        {yLabel}
      </text>
    </g>
  );
}
