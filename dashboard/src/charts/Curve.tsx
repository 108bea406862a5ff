/** A curve with points on it that follow one another, as the steps of a descent. */
import { scaleLinear } from "d3-scale";
import { Axes, MARGIN } from "./Axes";
import { seriesLook } from "./colours";
import { extent } from "./Scatter";
import { useWidth } from "./size";

interface Props {
  label: string;
  x: number[];
  y: number[];
  points: { x: number; y: number }[];
  xLabel: string;
  yLabel: string;
  height?: number;
}

export function Curve({ label, x, y, points, xLabel, yLabel, height = 340 }: Props) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const across = scaleLinear([x[0]!, x[x.length - 1]!], [MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)]);
  const up = scaleLinear(extent([y]), [height - MARGIN.bottom, MARGIN.top]);
  const path = (all: { x: number; y: number }[]) => all.map((point, place) => `${place ? "L" : "M"}${across(point.x).toFixed(1)},${up(point.y).toFixed(1)}`).join("");
  const [line, steps] = [seriesLook(0).colour, seriesLook(1).colour];
  return (
    <div ref={frame}>
      {width > 0 && (
        <svg class="chart" width={width} height={height} role="img" aria-label={label}>
          <Axes {...{ x: across, y: up, width, height, xLabel, yLabel }} />
          <path d={path(x.map((at, place) => ({ x: at, y: y[place]! })))} fill="none" stroke={line} stroke-width="2" />
          <path d={path(points)} fill="none" stroke={steps} stroke-width="1" stroke-dasharray="3 3" />
          {points.map((point, place) => (
            <circle key={place} cx={across(point.x)} cy={up(point.y)} r={place === points.length - 1 ? 6 : 3} fill={steps} opacity={place === points.length - 1 ? 1 : 0.6} />
          ))}
        </svg>
      )}
    </div>
  );
}
