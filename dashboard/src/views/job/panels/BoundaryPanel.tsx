/** What a job's weights predict over two features, or along one, and what each hidden unit answers there. */
import { useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { completed } from "~/api/completed";
import { Boundary, UnitMap, type Cells, type Point } from "~/charts/Boundary";
import { seriesLook } from "~/charts/colours";
import { Paths } from "~/charts/Paths";
import { extent } from "~/charts/Scatter";
import { EpochSlider, chosenEpoch } from "~/elements/EpochSlider";
import { Field, SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Loaded } from "~/elements/Notice";
import { Empty, Section } from "~/elements/Page";
import { useQuery } from "~/state/address";
import { isDark } from "~/state/preferences";
import { useKept, useResource, type Resource } from "~/state/resource";
import { number, toNumber } from "~/text/format";
import { panelsText } from "~/text/panels";
import { axesOf } from "./axes";
import { clustersIn } from "./clusters";
import { useEpochs } from "./epochs";
import "./panels.css";

type Plane = Schema["Boundary"];

const RESOLUTION = 60;
const UNIT_RESOLUTION = 20;
const POINTS = 500;
/** Classes that a legend names, at most: more are told where the pointer is. */
const MOST_NAMED = 50;

export function BoundaryPanel({ job }: { job: Schema["JobResource"] }) {
  const text = panelsText();
  const request = completed(job);
  const epochs = useEpochs(job);
  const [at, goTo] = useQuery("epoch", "last");
  const [wantedX, setX] = useQuery("x", request.features[0] ?? "");
  const [wantedY, setY] = useQuery("y", request.features[1] ?? "");
  const { x, y } = axesOf(request.features, wantedX, wantedY);
  const [fixed, setFixed] = useQuery("fixed", "{}");
  const epoch = epochs.value && chosenEpoch(epochs.value, at);
  const ask = (resolution: number, hidden: boolean, signal: AbortSignal) => {
    const query = { x, ...(y ? { y } : {}), fixed, resolution, hidden, epoch: String(epoch) };
    return body(api.GET("/v1/jobs/{job_id}/boundary", { params: { path: { job_id: job.id }, query }, signal }));
  };
  const key = epoch === undefined || !x ? null : `${job.id}:${epoch}:${x}:${y}:${fixed}`;
  const isAsked = (value: Plane) => value.job_id === job.id && value.x.column === x && (value.y?.column ?? "") === y;
  const plane = useKept(useResource(key && `boundary:${key}`, (signal) => ask(RESOLUTION, false, signal)), isAsked);
  const hasUnits = Boolean(y) && (request.model.hidden?.length ?? 0) > 0;
  const units = useKept(useResource(key && hasUnits ? `units:${key}` : null, (signal) => ask(UNIT_RESOLUTION, true, signal)), isAsked);
  const rows = useResource(`rows:${request.dataset_id}:${POINTS}`, (signal) =>
    body(api.GET("/v1/datasets/{dataset_id}/rows", { params: { path: { dataset_id: request.dataset_id }, query: { limit: POINTS } }, signal, parseAs: "json" })),
  ) as Resource<Schema["RowsPage"]>;
  const options = request.features.map((name) => ({ value: name, label: name }));
  return (
    <>
      <div class="panel-bar">
        {epochs.value && <EpochSlider epochs={epochs.value} value={at} onChange={goTo} />}
      </div>
      {epochs.value?.length === 0 && <Empty title={text.notYet} />}
      <div class="fields">
        <SelectField label={text.xAxis} value={x} onChange={setX} options={options.filter((option) => option.value !== y)} />
        <SelectField label={text.yAxis} value={y} onChange={setY} options={[{ value: "", label: text.none }, ...options.filter((option) => option.value !== x)]} />
      </div>
      <Loaded resource={plane}>
        {(value) => (
          <>
            <Shown plane={value} rows={rows.value} target={request.target} />
            <Held plane={value} onChange={setFixed} />
          </>
        )}
      </Loaded>
      {units.value?.units && <Units plane={units.value} />}
    </>
  );
}

/** What is told apart: the model's classes, or clusters by their numbers; undefined of numbers. */
function classesOf(plane: Plane, isClustering: boolean): string[] | undefined {
  if (isClustering) return clustersIn(plane.predictions);
  return Array.isArray(plane.classes) ? plane.classes.map(String) : undefined;
}

function cellsOf(axis: Schema["AxisResource"]): Cells {
  const numeric = axis.values.every((value) => typeof value === "number");
  return { label: axis.column, values: numeric ? (axis.values as number[]) : axis.values.map(String) };
}

/** Where a cell of the dataset lies on an axis: a number, or the place of a name. */
function placed({ values }: Cells, cell: unknown): number {
  return typeof values[0] === "string" ? (values as string[]).indexOf(String(cell)) : cell === null ? NaN : Number(cell);
}

/** Rows as points. Without a target they are of no class. */
function pointsOf(rows: Schema["RowsPage"] | undefined, x: Cells, y: string | Cells, target: string | null, classes?: string[]): Point[] {
  if (!rows) return [];
  const column = (name: string) => rows.columns.indexOf(name);
  const [atX, atTarget] = [column(x.label), target === null ? -1 : column(target)];
  const atY = column(typeof y === "string" ? y : y.label);
  return rows.rows
    .map((row) => ({
      x: placed(x, row[atX]),
      y: typeof y === "string" ? Number(row[atY]) : placed(y, row[atY]),
      value: target === null ? null : classes ? classes.indexOf(String(row[atTarget])) : Number(row[atTarget]),
    }))
    .filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y) && (point.value === null || (Number.isFinite(point.value) && point.value !== -1)));
}

function Shown({ plane, rows, target }: { plane: Plane; rows: Schema["RowsPage"] | undefined; target: string | string[] | null }) {
  const text = panelsText();
  void isDark.value;
  const classes = classesOf(plane, target === null);
  const names = target === null ? classes?.map((cluster) => text.cluster(cluster)) : classes;
  const x = cellsOf(plane.x);
  const one = Array.isArray(target) ? (target[0] as string) : target;
  const first = (value: unknown) => (value !== null && typeof value === "object" ? (value as Record<string, unknown>)[one ?? ""] : value);
  if (!plane.y) return <Curve plane={plane} x={x} rows={rows} target={one} />;
  const y = cellsOf(plane.y);
  const grid = plane.predictions as unknown[][];
  const values = grid.map((row) => row.map((value) => (classes ? classes.indexOf(String(value)) : toNumber(first(value) as number))));
  const shares = plane.probabilities && classes ? classes.map((name) => plane.probabilities?.[name] as number[][] | undefined) : null;
  const certainty = shares?.every(Array.isArray) ? values.map((row, down) => row.map((value, across) => shares[value]?.[down]?.[across] ?? 1)) : undefined;
  const download = () => ({
    columns: [x.label, y.label, one ?? "cluster"],
    rows: grid.flatMap((row, down) => row.map((value, across) => [x.values[across] as number, y.values[down] as number, first(value) as string])),
  });
  return (
    <Figure title={text.boundary} caption={target === null ? text.boundaryCaptionClusters : classes ? text.boundaryCaption : text.boundaryCaptionNumber} rows={download}>
      <Boundary label={`${text.boundary}: ${x.label}, ${y.label}`} x={x} y={y} values={values} certainty={certainty} classes={names} points={pointsOf(rows, x, y, one, classes)} />
      {names && names.length <= MOST_NAMED && (
        <ul class="boundary-legend">
          {names.map((name, index) => (
            <li key={name}>
              <span class="swatch" style={{ background: seriesLook(index).colour }} />
              {name}
            </li>
          ))}
        </ul>
      )}
    </Figure>
  );
}

/** Predictions along one feature: a line, or the probability of each class. */
function Curve({ plane, x, rows, target }: { plane: Plane; x: Cells; rows: Schema["RowsPage"] | undefined; target: string | null }) {
  const text = panelsText();
  const names = typeof x.values[0] === "string" ? (x.values as string[]) : undefined;
  const places = x.values.map((value, k) => (names ? k : Number(value)));
  const classes = classesOf(plane, target === null);
  const called = target ?? text.clusterColumn;
  const shares = plane.probabilities && Object.entries(plane.probabilities).filter(([, share]) => Array.isArray(share));
  const paths = shares?.length
    ? shares.map(([name, share]) => ({ name, x: places, y: (share as number[]).map(Number) }))
    : [{ name: called, x: places, y: (plane.predictions as unknown[]).map((value) => (classes ? classes.indexOf(String(value)) : Number(value))) }];
  const points = classes || target === null ? [] : pointsOf(rows, x, target, target);
  const range = shares?.length ? ([0, 1] as [number, number]) : extent([...paths.map((path) => path.y), points.map((point) => point.y)]);
  return (
    <Figure title={text.boundary} rows={() => ({ columns: [x.label, ...paths.map((path) => path.name)], rows: x.values.map((value, k) => [value, ...paths.map((path) => path.y[k] as number)]) })}>
      <Paths
        label={`${text.boundary}: ${x.label}`}
        paths={paths}
        xLabel={x.label}
        yLabel={shares?.length ? text.probability : called}
        xRange={[places[0] as number, places[places.length - 1] as number]}
        yRange={range}
        points={{ x: points.map((point) => point.x), y: points.map((point) => point.y) }}
        xNames={names}
      />
    </Figure>
  );
}

/** The features that are held still, each with its value, which can be changed. */
function Held({ plane, onChange }: { plane: Plane; onChange: (fixed: string) => void }) {
  const text = panelsText();
  const entries = Object.entries(plane.fixed);
  const [edited, setEdited] = useState<Record<string, string>>({});
  if (entries.length === 0) return null;
  const submit = (event: Event) => {
    event.preventDefault();
    const values = entries.map(([name, value]) => {
      const written = edited[name] ?? String(value);
      return [name, typeof value === "number" && written.trim() !== "" && !Number.isNaN(Number(written)) ? Number(written) : written];
    });
    onChange(JSON.stringify(Object.fromEntries(values)));
  };
  return (
    <details class="section">
      <summary>
        {text.fixed}: {entries.slice(0, 4).map(([name, value]) => `${name} = ${typeof value === "number" ? number(value) : value}`).join(", ")}
        {entries.length > 4 && " …"}
      </summary>
      <form onSubmit={submit}>
        <p class="muted small">{text.fixedHelp}</p>
        <div class="fields">
          {entries.map(([name, value]) => (
            <Field key={name} label={name}>
              {(control) => <input {...control} value={edited[name] ?? String(value)} onInput={(event) => setEdited({ ...edited, [name]: event.currentTarget.value })} />}
            </Field>
          ))}
        </div>
        <button type="submit" class="visually-hidden">
          {text.fixed}
        </button>
      </form>
    </details>
  );
}

function Units({ plane }: { plane: Plane }) {
  const text = panelsText();
  return (
    <>
      {Object.entries(plane.units ?? {}).map(([layer, units]) => (
        <Section key={layer} title={text.units(layer)}>
          <p class="muted small">{text.unitsCaption}</p>
          <div class="unit-maps">
            {units.map((grid, index) => (
              <figure key={index}>
                <UnitMap label={`${layer}, ${text.unit(index + 1)}`} grid={(grid as (number | string)[][]).map((row) => row.map(Number))} />
                <figcaption>{index + 1}</figcaption>
              </figure>
            ))}
          </div>
        </Section>
      ))}
    </>
  );
}
