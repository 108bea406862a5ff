/** Two columns beside each other: how lessons ask for their relation, and show it. */
import { api, body, type Schema } from "~/api/client";
import { Paths } from "~/charts/Paths";
import { extent } from "~/charts/Scatter";
import { Figure } from "~/elements/Figure";
import { toNumber } from "~/text/format";
import type { Calls } from "./calls";

export type Relation = Schema["RelationResource"];
export type StraightLine = { name: string; slope: number; intercept: number };

export function relation(calls: Calls, dataset_id: string, x: string, y: string): Promise<Relation> {
  return body(api.GET("/v1/datasets/{dataset_id}/relation", { params: { path: { dataset_id }, query: { x, y } }, signal: calls.signal }));
}

export const lineOf = ({ y_on_x }: Relation, name: string): StraightLine => ({ name, slope: toNumber(y_on_x?.slope), intercept: toNumber(y_on_x?.intercept) });

interface Props {
  title: string;
  found: Relation;
  lines: StraightLine[];
  height?: number;
  /** What is shown at least, so that pictures can be compared. */
  among?: Relation[];
}

/** The rows as points, and lines through them. */
export function PointsAndLines({ title, found, lines, height = 260, among = [found] }: Props) {
  const [x, y] = [found.points.x.map(toNumber), found.points.y.map(toNumber)];
  const xRange = extent(among.map(({ points }) => points.x.map(toNumber)));
  const yRange = extent(among.map(({ points }) => points.y.map(toNumber)));
  const paths = lines.map(({ name, slope, intercept }) => ({ name, x: xRange, y: xRange.map((at) => intercept + slope * at) }));
  const rows = () => ({ columns: [found.x.column, found.y.column], rows: x.map((at, place) => [at, y[place]!]) });
  return (
    <Figure title={title} rows={rows}>
      <Paths label={title} paths={paths} points={{ x, y }} xLabel={found.x.column} yLabel={found.y.column} xRange={xRange} yRange={yRange} height={height} />
    </Figure>
  );
}
