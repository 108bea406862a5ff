/** Counts between edges, as bars; another histogram may lie behind, for comparison. */
import { scaleLinear } from "d3-scale";
import { integer, number } from "~/text/format";
import { useState } from "preact/hooks";
import { useWidth } from "./size";

export interface Counts {
  edges: number[];
  counts: number[];
}

interface Props extends Counts {
  label: string;
  /** Drawn as an outline: what it was before. */
  behind?: Counts;
  /** Part of the axis that is shown; by default all that the edges cover. */
  range?: [number, number];
  height?: number;
  /** Whether the ends of the axis are named. */
  hasAxis?: boolean;
}

/** Bars by area: bins of other histograms may be wider, so heights are counts per width, each histogram over its own total. */
function densities({ edges, counts }: Counts): { low: number; high: number; density: number }[] {
  const total = counts.reduce((sum, count) => sum + count, 0) || 1;
  return counts.map((count, bin) => {
    const [low, high] = [edges[bin] as number, edges[bin + 1] as number];
    return { low, high, density: high > low ? count / total / (high - low) : 0 };
  });
}

export function Histogram({ label, edges, counts, behind, range, height = 72, hasAxis = true }: Props) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const [bin, setBin] = useState<number | null>(null);
  const bars = densities({ edges, counts });
  const others = behind ? densities(behind) : [];
  const ends = range ?? [edges[0] as number, edges[edges.length - 1] as number];
  const flat = ends[0] === ends[1];
  const x = scaleLinear(flat ? [ends[0] - 1, ends[1] + 1] : ends, [0, width]);
  const tallest = Math.max(...bars.map((bar) => bar.density), ...others.map((bar) => bar.density), Number.MIN_VALUE);
  const base = height - (hasAxis ? 16 : 1);
  const y = scaleLinear([0, tallest], [base, 2]);
  const outline = others.map((bar) => `H${x(bar.low)}V${y(bar.density)}H${x(bar.high)}`).join("");
  const at = bin === null ? undefined : bars[bin];
  return (
    <div ref={frame} class="histogram">
      {width > 0 && (
        <svg class="chart" width={width} height={height} role="img" aria-label={label} onPointerLeave={() => setBin(null)}>
          {bars.map((bar, index) => {
            const left = x(bar.low);
            return (
              <g key={index} onPointerEnter={() => setBin(index)}>
                <rect class="hit" x={left} y={0} width={Math.max(0, x(bar.high) - left)} height={base} />
                <rect class={index === bin ? "bar chosen" : "bar"} x={left} y={y(bar.density)} width={Math.max(1, x(bar.high) - left - 0.5)} height={Math.max(0, base - y(bar.density))} />
              </g>
            );
          })}
          {outline && <path class="outline" d={`M${x((others[0] as { low: number }).low)},${base}${outline}V${base}`} />}
          <line class="axis" x1={0} x2={width} y1={base} y2={base} />
          {hasAxis && (
            <>
              <text x={0} y={height - 2}>
                {at ? `${number(at.low, 3)} … ${number(at.high, 3)}` : number(ends[0], 3)}
              </text>
              <text x={width} y={height - 2} text-anchor="end">
                {bin !== null ? integer(counts[bin] as number) : number(ends[1], 3)}
              </text>
            </>
          )}
        </svg>
      )}
    </div>
  );
}
