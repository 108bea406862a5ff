/** What a job answers over the plane of two features: how lessons ask for it, and show it. */
import { api, body, type Schema } from "~/api/client";
import { Boundary, type Point } from "~/charts/Boundary";
import { Legend } from "~/charts/Paths";
import { Figure } from "~/elements/Figure";
import { toNumber } from "~/text/format";
import type { Calls } from "./calls";

export type Plane = Schema["Boundary"];

export interface Table {
  columns: string[];
  rows: unknown[][];
}

export function table(calls: Calls, dataset_id: string, limit: number): Promise<Table> {
  return body<Table>(api.GET("/v1/datasets/{dataset_id}/rows", { params: { path: { dataset_id }, query: { limit } }, signal: calls.signal }) as never);
}

export function plane(calls: Calls, job_id: string, resolution = 60, hidden = false): Promise<Plane> {
  return body<Plane>(api.GET("/v1/jobs/{job_id}/boundary", { params: { path: { job_id }, query: { resolution, hidden } }, signal: calls.signal }) as never);
}

interface Props {
  title: string;
  found: Plane;
  rows: Table;
  target: string;
  /** What the classes are called, in their order. */
  names?: string[];
  height?: number;
}

export function PlaneAndRows({ title, found, rows, target, names, height = 340 }: Props) {
  const classes = (found.classes as unknown[]).map(String);
  const [x, y] = [found.x, found.y!];
  const grid = found.predictions as unknown[][];
  const values = grid.map((row) => row.map((value) => classes.indexOf(String(value))));
  const shares = classes.map((name) => found.probabilities?.[name] as number[][] | undefined);
  const certainty = shares.every(Array.isArray) ? values.map((row, down) => row.map((value, across) => toNumber(shares[value]?.[down]?.[across]))) : undefined;
  const at = (column: string) => rows.columns.indexOf(column);
  const points: Point[] = rows.rows.map((row) => ({ x: Number(row[at(x.column)]), y: Number(row[at(y.column)]), value: classes.indexOf(String(row[at(target)])) }));
  const download = () => ({ columns: [x.column, y.column, target], rows: grid.flatMap((row, down) => row.map((value, across) => [x.values[across] as number, y.values[down] as number, String(value)])) });
  return (
    <Figure title={title} rows={download}>
      <Boundary label={title} x={{ label: x.column, values: x.values as number[] }} y={{ label: y.column, values: y.values as number[] }} values={values} certainty={certainty} classes={names ?? classes} points={points} height={height} />
      <Legend names={names ?? classes} />
    </Figure>
  );
}
