/** Two columns beside each other, as the API relates them: the rows, both regression lines, and how far off one of them is. */
import { scaleLinear } from "d3-scale";
import { useId, useMemo, useState } from "preact/hooks";
import { isDark } from "~/state/preferences";
import { integer, number, toNumber } from "~/text/format";
import { relationText } from "~/text/relation";
import { Axes, MARGIN } from "./Axes";
import { seriesLook } from "./colours";
import { nearest, placeOf } from "./nearest";
import { Legend } from "./Paths";
import { ofRow, type LineName, type RelationOf } from "./relation";
import { extent } from "./Scatter";
import { useWidth } from "./size";

interface Props {
  relation: RelationOf;
  /** Whose residuals are drawn: up and down of y on x, across of x on y. */
  residualsOf?: LineName;
  height?: number;
}

const NEAR_PIXELS = 20;

export function Relation({ relation, residualsOf = "y_on_x", height = 400 }: Props) {
  const text = relationText();
  const [frame, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  const clip = useId();
  void isDark.value;
  const [xs, ys] = useMemo(() => [relation.points.x.map(toNumber), relation.points.y.map(toNumber)], [relation]);
  const [x, y] = useMemo(
    () => [scaleLinear(extent([xs]), [MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)]), scaleLinear(extent([ys]), [height - MARGIN.bottom, MARGIN.top])] as const,
    [xs, ys, width, height],
  );
  const { y_on_x, x_on_y } = relation;
  const line = relation[residualsOf];
  const [left, right] = x.domain() as [number, number];
  const [low, high] = y.domain() as [number, number];
  const lines = [
    ...(y_on_x ? [{ name: text.lines.y_on_x(relation.y.column, relation.x.column), points: [left, right].map((at) => [at, toNumber(y_on_x.intercept) + toNumber(y_on_x.slope) * at]) }] : []),
    ...(x_on_y ? [{ name: text.lines.x_on_y(relation.y.column, relation.x.column), points: [low, high].map((at) => [toNumber(x_on_y.intercept) + toNumber(x_on_y.slope) * at, at]) }] : []),
  ];
  const drawn = (points: number[][]) => `M${points.map(([px, py]) => `${x(px!).toFixed(1)},${y(py!).toFixed(1)}`).join("L")}`;
  const residual = (place: number) => {
    const fitted = toNumber(line?.fitted[place]);
    return drawn([[xs[place]!, ys[place]!], residualsOf === "y_on_x" ? [xs[place]!, fitted] : [fitted, ys[place]!]]);
  };
  const look = seriesLook(y_on_x && residualsOf === "x_on_y" ? 1 : 0);
  const find = (event: PointerEvent) => setAt(nearest([{ x: xs, y: ys }], x, y, placeOf(event), NEAR_PIXELS)?.point ?? null);
  const row = at === null ? null : ofRow(relation, residualsOf, at);
  const title = text.title(relation.y.column, relation.x.column);
  return (
    <div ref={frame}>
      {width > 0 && (
        <svg class="chart" width={width} height={height} role="img" aria-label={title} onPointerMove={find} onPointerLeave={() => setAt(null)}>
          <Axes {...{ x, y, width, height, xLabel: relation.x.column, yLabel: relation.y.column }} />
          <clipPath id={clip}>
            <rect x={MARGIN.left} y={MARGIN.top} width={Math.max(0, width - MARGIN.left - MARGIN.right)} height={height - MARGIN.top - MARGIN.bottom} />
          </clipPath>
          <g clip-path={`url(#${clip})`}>
            {line && xs.map((_, place) => <path key={place} d={residual(place)} stroke={look.colour} stroke-width={place === at ? 3 : 1} opacity={xs.length > 200 ? 0.4 : 0.8} />)}
            {lines.map(({ name, points }, index) => {
              const own = seriesLook(index);
              return <path key={name} d={drawn(points)} fill="none" stroke={own.colour} stroke-width="2.5" />;
            })}
            {xs.map((value, place) => (
              <circle key={place} cx={x(value)} cy={y(ys[place]!)} r={place === at ? 6 : 4} fill="var(--text)" opacity={xs.length > 200 ? 0.5 : 0.85} />
            ))}
          </g>
        </svg>
      )}
      <p class="reading" aria-hidden="true">
        {row
          ? text.reading(integer(row.row), `${relation.x.column} ${number(row.x)}, ${relation.y.column} ${number(row.y)}`, number(row.residual), number(row.leverage, 3), number(row.distance, 3))
          : "\u00a0"}
      </p>
      <Legend names={lines.map(({ name }) => name)} />
    </div>
  );
}
