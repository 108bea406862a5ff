/** One row with all that is known of it: its cells, and every number that the weights answer to it. */
import type { ComponentChildren } from "preact";
import { api, body, type Schema } from "~/api/client";
import { Dialog } from "~/elements/Dialog";
import { Formula } from "~/elements/Formula";
import { Loaded } from "~/elements/Notice";
import { useResource } from "~/state/resource";
import { integer, number, type ApiNumber } from "~/text/format";
import { panelsText } from "~/text/panels";
import { rowsText } from "~/text/rows";
import { likeliest, said } from "./rows";

type Found = Schema["SplitPredictions"];
/** Cells that are shown of a row, at most. */
const MOST_CELLS = 60;

interface Props {
  job: Schema["JobResource"];
  /** The query that lists this row alone. */
  query: Record<string, string | number>;
  row: number;
  picture?: ComponentChildren;
  /** What the columns of pixels begin with, which the picture shows. */
  pixels?: string;
  hasMaps: boolean;
  onClose: () => void;
}

export function RowDialog({ job, query, row, picture, pixels, hasMaps, onClose }: Props) {
  const text = rowsText();
  const found = useResource(`row:${job.id}:${JSON.stringify(query)}`, (signal) =>
    body(api.GET("/v1/jobs/{job_id}/predictions", { params: { path: { job_id: job.id }, query: { ...query, cells: true } as object }, headers: { Accept: "application/json" }, signal, parseAs: "json" })),
  );
  return (
    <Dialog title={`${text.row} ${integer(row)}`} onClose={onClose}>
      <div class="row-facts">
        {picture}
        <Loaded resource={found}>{(value) => <Told found={value as Found} pixels={pixels} />}</Loaded>
      </div>
      {hasMaps && (
        <p>
          <a href={`/jobs/${job.id}?tab=images&row=${row}`}>{text.inLayers}</a>
        </p>
      )}
    </Dialog>
  );
}

function Told({ found, pixels }: { found: Found; pixels?: string }) {
  const text = rowsText();
  const one = found.items[0];
  if (!one) return null;
  const cells = Object.entries(one.cells ?? {}).filter(([name]) => pixels === undefined || !name.startsWith(pixels));
  const { loss } = found.formulas;
  const numbers: [string, unknown][] = [
    [text.target, one.target],
    [text.prediction, one.prediction],
    [text.residual, one.residual],
    [text.loss, one.loss],
    [text.weight, one.weight],
    [text.leverage, one.leverage],
  ];
  return (
    <>
      <Facts of={numbers.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => [name, said(value)])} />
      {loss && <Formula latex={loss.formula} isBlock />}
      {one.probabilities && (
        <>
          <h3>{text.probabilities}</h3>
          <Facts of={likeliest(one.probabilities).map(([name, share]) => [name, typeof share === "number" ? number(share) : said(share)])} />
        </>
      )}
      {one.distances && (
        <>
          <h3>{text.distances}</h3>
          <Facts of={one.distances.map((distance: ApiNumber, cluster: number) => [text.cluster(integer(cluster)), number(distance)])} />
        </>
      )}
      {cells.length > 0 && (
        <>
          <h3>{text.cells}</h3>
          <Facts of={cells.slice(0, MOST_CELLS).map(([name, value]) => [name, value === null ? text.missing : Array.isArray(value) ? "…" : said(value)])} />
          {cells.length > MOST_CELLS && <p class="muted small">{panelsText().firstOf(integer(MOST_CELLS), integer(cells.length))}</p>}
        </>
      )}
    </>
  );
}

function Facts({ of }: { of: [string, string][] }) {
  return (
    <dl class="facts">
      {of.flatMap(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name} value`}>{value}</dd>])}
    </dl>
  );
}

