/** Two columns beside each other: what the API says of each row, and of a line as an equation. */
import type { Schema } from "~/api/client";
import { number, toNumber } from "~/text/format";

export type RelationOf = Schema["RelationResource"];
export type LineName = "y_on_x" | "x_on_y";

export interface RowOf {
  row: number;
  x: number;
  y: number;
  residual: number;
  leverage: number;
  /** Cook's distance; null of a row without which there is no line. */
  distance: number | null;
}

/** What a line says of the row at a place among the points. */
export function ofRow(relation: RelationOf, name: LineName, place: number): RowOf {
  const line = relation[name];
  const distance = line?.distances[place];
  return {
    row: relation.points.rows[place]!,
    x: toNumber(relation.points.x[place]),
    y: toNumber(relation.points.y[place]),
    residual: toNumber(line?.residuals[place]),
    leverage: toNumber(line?.leverages[place]),
    distance: distance === null || distance === undefined ? null : toNumber(distance),
  };
}

/** Rows by how far the line moves without them: first those without which there is none, then by Cook's distance. */
export function mostMoving(relation: RelationOf, name: LineName, most: number): RowOf[] {
  const alone = ({ leverage, distance }: RowOf) => (distance === null && leverage > 0.99 ? Infinity : (distance ?? -1));
  return relation.points.rows
    .map((_, place) => ofRow(relation, name, place))
    .sort((one, other) => alone(other) - alone(one) || other.leverage - one.leverage)
    .slice(0, most);
}

/** A line as an equation, as "weight = 4.827 + 0.3022 · months". */
export function equation({ predicts, by, intercept, slope }: Schema["RegressionLine"]): string {
  const factor = toNumber(slope);
  return `${predicts} = ${number(intercept)} ${factor < 0 ? "−" : "+"} ${number(Math.abs(factor))} · ${by}`;
}
