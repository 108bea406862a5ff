/** How well a job's weights do on rows: metrics, confusion matrix, ROC, precision–recall, residuals. */
import { useLocation } from "preact-iso";
import { api, body, type Schema } from "~/api/client";
import { completed } from "~/api/completed";
import { Confusion } from "~/charts/Confusion";
import { Histogram } from "~/charts/Histogram";
import { Paths } from "~/charts/Paths";
import { extent, Scatter } from "~/charts/Scatter";
import { binned } from "~/charts/binned";
import { EpochSlider, chosenEpoch } from "~/elements/EpochSlider";
import { Choice } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Loaded } from "~/elements/Notice";
import { Empty, Section } from "~/elements/Page";
import { useQuery, withQuery } from "~/state/address";
import { useKept, useResource } from "~/state/resource";
import { integer, number, percent, toNumber } from "~/text/format";
import { panelsText } from "~/text/panels";
import { seriesName } from "~/text/series";
import { labelsOf } from "./clusters";
import { useEpochs } from "./epochs";
import { splitsOf, type Split } from "./rows";
import "./panels.css";

type Evaluation = Schema["EvaluationResource"];
/** Clusters that a table shows, at most; its file has all. */
const MOST_CLUSTERS = 100;
const MOST_LABELS = 5;

export function EvaluationPanel({ job }: { job: Schema["JobResource"] }) {
  const text = panelsText();
  const epochs = useEpochs(job);
  const { splits, usual } = splitsOf(completed(job));
  const [chosen, choose] = useQuery("split", usual);
  const [at, goTo] = useQuery("epoch", "last");
  const shown = (splits as readonly string[]).includes(chosen) ? (chosen as Split) : usual;
  const epoch = epochs.value && chosenEpoch(epochs.value, at);
  const asked = useResource(epoch === undefined ? null : `evaluation:${job.id}:${shown}:${epoch}`, (signal) =>
    body(api.GET("/v1/jobs/{job_id}/evaluation", { params: { path: { job_id: job.id }, query: { split: shown, epoch: String(epoch) } }, signal })),
  );
  const evaluation = useKept(asked, (value) => value.job_id === job.id && value.split === shown);
  return (
    <>
      <div class="panel-bar">
        <Choice label={text.split} value={shown} onChange={choose} options={splits.map((name) => ({ value: name, label: text.splits[name] }))} />
        {epochs.value && <EpochSlider epochs={epochs.value} value={at} onChange={goTo} />}
      </div>
      {epochs.value?.length === 0 && <Empty title={text.notYet} />}
      <Loaded resource={evaluation}>{(value) => <Results evaluation={value} />}</Loaded>
    </>
  );
}

function Results({ evaluation }: { evaluation: Evaluation }) {
  const text = panelsText();
  const { url } = useLocation();
  const { metrics, units = {}, classes, confusion_matrix, by_class, roc, precision_recall, residuals, clusters, silhouette_rows } = evaluation;
  return (
    <>
      <Section title={text.metrics} actions={<span class="muted">{text.rows(integer(evaluation.rows))}</span>}>
        <dl class="tiles">
          {Object.entries(metrics).map(([name, value]) => (
            <div key={name}>
              <dt>{seriesName(name)}</dt>
              <dd>
                {number(value)} {units[name] && units[name] !== "target" && <small class="muted">{units[name]}</small>}
              </dd>
            </div>
          ))}
        </dl>
        {isCount(silhouette_rows) && silhouette_rows < evaluation.rows && <p class="muted small">{text.silhouetteOf(integer(silhouette_rows))}</p>}
      </Section>
      {clusters && <ClustersTable clusters={clusters} />}
      <div class="columns two">
        {confusion_matrix && classes && (
          <Figure
            isTable
            title={text.confusion}
            caption={text.confusionCaption}
            rows={() => ({ columns: [`${text.trueClass} \\ ${text.predictedClass}`, ...classes.map(String)], rows: confusion_matrix.map((row, index) => [String(classes[index]), ...row]) })}
          >
            <Confusion classes={classes.map(String)} matrix={confusion_matrix} address={(truth, predicted) => withQuery(url, { tab: "rows", split: evaluation.split, true: truth, predicted, only: null, offset: null })} />
          </Figure>
        )}
        {by_class && <ByClass scores={by_class} />}
        {roc && (
          <ThresholdCurves
            title={text.roc}
            caption={text.rocCaption}
            curves={roc.map((one) => ({ class: one.class, x: one.false_positive_rate ?? [], y: one.true_positive_rate ?? [], threshold: one.threshold ?? [] }))}
            labels={[text.falsePositive, text.truePositive]}
            columns={["false_positive_rate", "true_positive_rate"]}
            diagonal
          />
        )}
        {precision_recall && (
          <ThresholdCurves
            title={text.precisionRecall}
            curves={precision_recall.map((one) => ({ class: one.class, x: one.recall ?? [], y: one.precision ?? [], threshold: one.threshold ?? [] }))}
            labels={[text.recall, text.precision]}
            columns={["recall", "precision"]}
          />
        )}
      </div>
      {residuals && Object.entries(residuals).map(([target, found]) => <ResidualsOf key={target} target={target} found={found} />)}
    </>
  );
}

const isCount = (value: number | null | undefined): value is number => typeof value === "number";

/** Each cluster with its rows and how close they lie, and what labels they have where the job names a column of these. */
function ClustersTable({ clusters }: { clusters: Schema["ClusterResource"][] }) {
  const text = panelsText();
  const hasLabels = clusters.some(({ labels }) => labels);
  const all = clusters.reduce((sum, { rows }) => sum + rows, 0);
  const numbers = () => ({
    columns: ["cluster", "rows", "inertia", "mean_distance", "silhouette", ...(hasLabels ? ["labels"] : [])],
    rows: clusters.map(({ cluster, rows, inertia, mean_distance, silhouette, labels }) => [cluster, rows, inertia, mean_distance, silhouette, ...(hasLabels ? [counted(labels)] : [])]),
  });
  return (
    <Figure isTable title={text.clusters} caption={clusters.length > MOST_CLUSTERS ? text.firstOf(integer(MOST_CLUSTERS), integer(clusters.length)) : undefined} rows={numbers}>
      <div class="table-frame" tabIndex={0} role="region" aria-label={text.clusters}>
        <table>
          <thead>
            <tr>
              <th scope="col">{text.clusterColumn}</th>
              {[text.support, text.shareOfRows, seriesName("inertia"), text.meanDistance, seriesName("silhouette")].map((name) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
              {hasLabels && <th scope="col">{text.labels}</th>}
            </tr>
          </thead>
          <tbody>
            {clusters.slice(0, MOST_CLUSTERS).map(({ cluster, rows, inertia, mean_distance, silhouette, labels }) => (
              <tr key={cluster}>
                <th scope="row">{integer(cluster)}</th>
                <td class="number">{integer(rows)}</td>
                <td class="number">{percent(rows / all, 1)}</td>
                <td class="number">{number(inertia)}</td>
                <td class="number">{number(mean_distance)}</td>
                <td class="number">{number(silhouette, 3)}</td>
                {hasLabels && <td class="nowrap">{counted(labels, MOST_LABELS)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Figure>
  );
}

/** Labels with how many rows have each, the most frequent first. */
function counted(labels: Record<string, number> | null, most = Infinity): string {
  const all = labelsOf(labels).map(([name, rows]) => `${name} ${integer(rows)}`);
  return all.length > most ? `${all.slice(0, most).join(", ")} …` : all.join(", ");
}

function ByClass({ scores }: { scores: Schema["ClassScores"][] }) {
  const text = panelsText();
  return (
    <div class="figure">
      <header class="figure-head">
        <h3>{text.byClass}</h3>
      </header>
      <div class="table-frame">
        <table>
          <thead>
            <tr>
              <th>{text.class}</th>
              {[text.precision, text.recall, text.f1, text.support].map((name) => (
                <th key={name} class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {scores.map((score) => (
              <tr key={String(score.class)}>
                <th scope="row">{String(score.class)}</th>
                <td class="number">{number(score.precision, 3)}</td>
                <td class="number">{number(score.recall, 3)}</td>
                <td class="number">{number(score.f1, 3)}</td>
                <td class="number">{integer(score.support)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

interface CurvesProps {
  title: string;
  caption?: string;
  /** A curve of each class, and what its axes are called: for people, and in the file of its numbers. */
  curves: { class: unknown; x: number[]; y: number[]; threshold: (number | string)[] }[];
  labels: [string, string];
  columns: [string, string];
  diagonal?: boolean;
}

/** One curve for each class, every point of it with its threshold. */
function ThresholdCurves({ title, caption, curves, labels, columns, diagonal }: CurvesProps) {
  const text = panelsText();
  const paths = curves.map(({ class: name, x, y, threshold }) => ({ name: String(name), x, y, notes: threshold.map((value) => `${text.threshold} ${number(value)}`) }));
  const rows = () => ({
    columns: ["class", ...columns, "threshold"],
    rows: curves.flatMap(({ class: name, x, y, threshold }) => x.map((value, k) => [String(name), value, y[k] ?? null, threshold[k] ?? null])),
  });
  return (
    <Figure title={title} caption={caption} rows={rows}>
      <Paths label={title} paths={paths} xLabel={labels[0]} yLabel={labels[1]} diagonal={diagonal} />
    </Figure>
  );
}

function ResidualsOf({ target, found }: { target: string; found: Schema["Residuals"] }) {
  const text = panelsText();
  const actual = found.actual.map(toNumber);
  const predicted = found.predicted.map(toNumber);
  const residuals = actual.map((value, k) => value - (predicted[k] as number));
  const { edges, counts } = binned(residuals, extent([residuals]));
  return (
    <div class="columns two">
      <Figure title={text.residuals(target)} caption={text.residualCaption} rows={() => ({ columns: ["actual", "predicted"], rows: actual.map((value, k) => [value, predicted[k] as number]) })}>
        <Scatter label={text.residuals(target)} groups={[{ name: target, x: actual, y: predicted }]} xLabel={text.actual} yLabel={text.predicted} diagonal />
      </Figure>
      <div>
        <Figure title={text.residualHistogram} rows={() => ({ columns: ["from", "to", "count"], rows: counts.map((count, bin) => [edges[bin] as number, edges[bin + 1] as number, count]) })}>
          <Histogram label={text.residualHistogram} edges={edges} counts={counts} height={160} />
          <p class="muted small">
            {text.mean} {number(found.mean)} · {text.deviation} {number(found.std)}
          </p>
        </Figure>
        <Section title={text.largest}>
          <div class="table-frame">
            <table>
              <thead>
                <tr>
                  {[text.row, text.actual, text.predicted, text.residual].map((name) => (
                    <th key={name} class="number">
                      {name}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {found.largest.slice(0, 10).map((entry) => (
                  <tr key={entry.row}>
                    <td class="number">{integer(entry.row)}</td>
                    <td class="number">{number(entry.actual)}</td>
                    <td class="number">{number(entry.predicted)}</td>
                    <td class="number">{number(entry.residual)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Section>
      </div>
    </div>
  );
}
