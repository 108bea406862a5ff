/** The clusters of a job after an epoch: rows and centroids on the plane of two features, and the centroids as numbers. */
import { useMemo } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { completed } from "~/api/completed";
import { Scatter } from "~/charts/Scatter";
import { EpochSlider, chosenEpoch } from "~/elements/EpochSlider";
import { SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Loaded } from "~/elements/Notice";
import { NumberTable } from "~/elements/NumberTable";
import { Empty } from "~/elements/Page";
import { useQuery } from "~/state/address";
import { useKept, useResource, type Resource } from "~/state/resource";
import { integer, number, toNumber } from "~/text/format";
import { panelsText } from "~/text/panels";
import { widestOf } from "./axes";
import { cleaned, drawn } from "./clusters";
import { useEpochs } from "./epochs";
import "./panels.css";

type Clusters = Schema["ClustersResource"];
type Centroids = Schema["CentroidsResource"];

const POINTS = 2000;
/** Clusters that a legend names; of more, the numbers beside the centroids tell them. */
const NAMED = 16;
/** More cells than this are no table, but a file. */
const TABLE_CELLS = 1000;
const BY_ITSELF = "auto";

export function ClustersPanel({ job }: { job: Schema["JobResource"] }) {
  const text = panelsText();
  const epochs = useEpochs(job);
  const [at, goTo] = useQuery("epoch", "last");
  const [wantedX, setX] = useQuery("x", BY_ITSELF);
  const [wantedY, setY] = useQuery("y", BY_ITSELF);
  const epoch = epochs.value && chosenEpoch(epochs.value, at);
  const last = epochs.value?.at(-1);
  const latest = useCentroids(job.id, job.done ? last : epoch === undefined ? undefined : "last");
  const centroids = useKept(useCentroids(job.id, epoch), (value) => value.job_id === job.id);
  const features = latest.value?.centroids?.features ?? [];
  const widest = useMemo(() => (latest.value?.centroids ? widestOf(latest.value.centroids, completed(job).features) : []), [latest.value]);
  const x = features.includes(wantedX) ? wantedX : (widest.find((name) => name !== wantedY) ?? features[0]);
  const y = wantedY === "" ? undefined : features.includes(wantedY) && wantedY !== x ? wantedY : widest.findLast((name) => name !== x);
  const asked = useResource(epoch === undefined || x === undefined ? null : `clusters:${job.id}:${epoch}:${x}:${y}`, (signal) =>
    body(api.GET("/v1/jobs/{job_id}/clusters", { params: { path: { job_id: job.id }, query: { x: x!, ...(y === undefined ? {} : { y }), epoch: String(epoch), points: POINTS } }, signal })),
  );
  const clusters = useKept(asked, (value) => value.job_id === job.id && value.x.feature === x && value.y?.feature === y);
  const options = features.map((name) => ({ value: name, label: name }));
  return (
    <>
      <div class="panel-bar">{epochs.value && <EpochSlider epochs={epochs.value} value={at} onChange={goTo} />}</div>
      {epochs.value?.length === 0 && <Empty title={text.notYet} />}
      {epochs.value?.length === 1 && job.done && <p class="muted small">{text.oneEpoch}</p>}
      {x !== undefined && (
        <div class="fields">
          <SelectField label={text.xAxis} value={x} onChange={setX} options={options.filter(({ value }) => value !== y)} />
          <SelectField label={text.yAxis} value={y ?? ""} onChange={setY} options={[{ value: "", label: text.none }, ...options.filter(({ value }) => value !== x)]} />
        </div>
      )}
      {epochs.value?.length !== 0 && <Loaded resource={clusters}>{(value) => <Plane found={value} />}</Loaded>}
      {centroids.value?.centroids && <CentroidsTable centroids={centroids.value.centroids} />}
    </>
  );
}

function useCentroids(job_id: string, epoch: number | "last" | undefined): Resource<Schema["Weights"]> {
  return useResource(epoch === undefined ? null : `centroids:${job_id}:${epoch}`, (signal) =>
    body(api.GET("/v1/jobs/{job_id}/weights", { params: { path: { job_id }, query: { epoch: String(epoch) } }, signal, parseAs: "json" })),
  ) as Resource<Schema["Weights"]>;
}

function Plane({ found }: { found: Clusters }) {
  const text = panelsText();
  const { groups, marks } = useMemo(() => drawn(found, { cluster: (cluster) => text.cluster(integer(cluster)), row: (row) => `${text.row} ${integer(row)}` }), [found, text]);
  const { x, y, rows, clusters, of_rows } = found;
  const title = y ? text.clustersOn(x.feature, y.feature) : text.clustersAlong(x.feature);
  const shown = rows.length < of_rows ? text.someRows(integer(rows.length), integer(of_rows)) : text.everyRow(integer(of_rows));
  const numbers = () => ({
    columns: ["row", x.feature, ...(y ? [y.feature] : []), "cluster"],
    rows: rows.map((row, place) => [row, x.rows[place] as number, ...(y ? [y.rows[place] as number] : []), clusters[place] as number]),
  });
  return (
    <Figure title={title} caption={`${text.clustersCaption} ${shown}`} rows={numbers}>
      <Scatter label={title} groups={groups} marks={marks} xLabel={x.feature} yLabel={y?.feature ?? text.clusterColumn} height={440} hasLegend={groups.length <= NAMED} yNames={y || groups.length > NAMED ? undefined : marks.map(({ name }) => name)} />
    </Figure>
  );
}

function CentroidsTable({ centroids: { features, values } }: { centroids: Centroids }) {
  const text = panelsText();
  const numbers = () => ({ columns: ["cluster", ...features], rows: values.map((centroid, cluster) => [cluster, ...(centroid as number[])]) });
  const isSmall = values.length * features.length <= TABLE_CELLS;
  const shown = isSmall ? cleaned(values.map((centroid) => centroid.map(toNumber))) : [];
  return (
    <Figure isTable title={text.centroids} caption={isSmall ? undefined : text.inTheFile} rows={numbers}>
      {isSmall && (
        <NumberTable
          label={text.centroids}
          corner={text.clusterColumn}
          across={features}
          down={values.map((_, cluster) => integer(cluster))}
          cell={(cluster, place) => number(shown[cluster]?.[place])}
        />
      )}
    </Figure>
  );
}
