/** Curves of activations and losses: how lessons ask for them, and show them. */
import { api, body, type Schema } from "~/api/client";
import { Line } from "~/charts/Line";
import { Figure } from "~/elements/Figure";
import { toNumber } from "~/text/format";
import type { Calls } from "./calls";

export type Curve = Schema["FunctionCurve"];

export function curve(calls: Calls, family: "activation" | "loss", name: string, query: Record<string, number> = {}): Promise<Curve> {
  return body(api.GET("/v1/functions/{family}/{name}", { params: { path: { family, name }, query }, signal: calls.signal }));
}

interface Props {
  title: string;
  curves: { name: string; found: Curve }[];
  of: "value" | "slope";
  xLabel: string;
}

export function FunctionCurves({ title, curves, of, xLabel }: Props) {
  const series = curves.map(({ name, found }) => ({ name, x: found.z, y: found[of].map(toNumber) }));
  return (
    <Figure title={title} rows={() => ({ columns: ["function", xLabel, of], rows: series.flatMap(({ name, x, y }) => x.map((at, place) => [name, at, y[place]!])) })}>
      <Line label={title} series={series} xLabel={xLabel} height={240} />
    </Figure>
  );
}
