/** One update of a perceptron over two features: the rows, the line before and after it, and the row that caused it. */
import { scaleLinear } from "d3-scale";
import { useId, useMemo } from "preact/hooks";
import { isDark } from "~/state/preferences";
import { perceptronText } from "~/text/perceptron";
import { Axes, MARGIN } from "./Axes";
import { seriesLook } from "./colours";
import { positiveSide, type Update } from "./perceptron";
import { extent } from "./Scatter";
import { useWidth } from "./size";
import "./perceptron.css";

interface Props {
  update: Update;
  /** The update before it, whose line is drawn, too. */
  before?: Update;
  features: [string, string];
  /** Of y = −1 and of y = 1. */
  classes: [string, string];
  /** The rows: their features in the data's own units, and their class: 0 or 1. */
  rows: { x: number[]; y: number[]; classes: number[] };
  /** The row of the update, in the data's own units. */
  cause?: { x: number; y: number };
  height?: number;
}

export function Perceptron({ update, before, features, classes, rows, cause, height = 420 }: Props) {
  const text = perceptronText();
  const [frame, width] = useWidth<HTMLDivElement>();
  const clip = useId();
  void isDark.value;
  const [x, y] = useMemo(
    () => [scaleLinear(extent([rows.x]), [MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)]), scaleLinear(extent([rows.y]), [height - MARGIN.bottom, MARGIN.top])] as const,
    [rows, width, height],
  );
  const looks = [seriesLook(0), seriesLook(1)];
  const ends = { x: x.domain() as [number, number], y: y.domain() as [number, number] };
  const drawn = (points: number[][]) => `M${points.map(([px, py]) => `${x(px!).toFixed(1)},${y(py!).toFixed(1)}`).join("L")}`;
  const side = positiveSide(update.coefficients.map(Number), ends);
  const base = { x: MARGIN.left, y: MARGIN.top, width: Math.max(0, width - MARGIN.left - MARGIN.right), height: height - MARGIN.top - MARGIN.bottom };
  const names = [
    ...classes.map((name, place) => ({ name, mark: <circle cx="9" cy="5" r="4" fill={looks[place]!.colour} /> })),
    ...(before?.line ? [{ name: text.before, mark: <line class="line-before" x1="0" x2="18" y1="5" y2="5" /> }] : []),
    ...(update.line ? [{ name: text.after, mark: <line class="line-after" x1="0" x2="18" y1="5" y2="5" /> }] : []),
    ...(cause ? [{ name: text.cause, mark: <circle class="cause" cx="9" cy="5" r="4" /> }] : []),
  ];
  return (
    <div ref={frame} class="perceptron">
      {width > 0 && (
        <svg class="chart" width={width} height={height} role="img" aria-label={text.label(String(update.number))}>
          <rect {...base} fill={looks[0]!.colour} opacity="0.1" />
          {side.length > 0 && (
            <>
              <path d={`${drawn(side)}Z`} fill="var(--background)" />
              <path d={`${drawn(side)}Z`} fill={looks[1]!.colour} opacity="0.1" />
            </>
          )}
          <Axes {...{ x, y, width, height, xLabel: features[0], yLabel: features[1], hasGrid: false }} />
          {rows.x.map((value, place) => (
            <circle key={place} cx={x(value)} cy={y(rows.y[place]!)} r="3" fill={looks[rows.classes[place] === 1 ? 1 : 0]!.colour} opacity="0.7" />
          ))}
          <clipPath id={clip}>
            <rect {...base} />
          </clipPath>
          <g clip-path={`url(#${clip})`}>
            {before?.line && <path class="line-before" d={drawn(before.line)} />}
            {update.line && <path class="line-after" d={drawn(update.line)} />}
          </g>
          {cause && <circle class="cause" cx={x(cause.x)} cy={y(cause.y)} r="8" />}
        </svg>
      )}
      <ul class="legend plain">
        {names.map(({ name, mark }) => (
          <li key={name}>
            <svg width="18" height="10" aria-hidden="true" class="mark">
              {mark}
            </svg>
            {name}
          </li>
        ))}
      </ul>
    </div>
  );
}
