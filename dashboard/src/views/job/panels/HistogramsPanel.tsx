/** Weights, activations and gradients of each layer, through the epochs. */
import { api, body, type Schema } from "~/api/client";
import { completed } from "~/api/completed";
import { Histogram } from "~/charts/Histogram";
import { EpochSlider, chosenEpoch } from "~/elements/EpochSlider";
import { Choice } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Loaded } from "~/elements/Notice";
import { Empty } from "~/elements/Page";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { number, percent } from "~/text/format";
import { panelsText } from "~/text/panels";
import { useAskedAgain } from "./epochs";
import "./panels.css";

type Epoch = Schema["EpochHistograms"];
type Layer = Schema["LayerHistogramResource"];

const KINDS = ["weights", "activations", "gradients"] as const;

async function load(job_id: string, signal: AbortSignal): Promise<Epoch[]> {
  const found = await body(api.GET("/v1/jobs/{job_id}/histograms", { params: { path: { job_id }, query: {} }, signal }));
  return [...found.items].sort((a, b) => a.epoch - b.epoch);
}

export function HistogramsPanel({ job }: { job: Schema["JobResource"] }) {
  const text = panelsText();
  const every = completed(job).record.histograms_every;
  const round = job.done ? "done" : Math.floor(job.progress.epoch / Math.max(1, every ?? 1));
  const histograms = useAskedAgain(useResource(every ? `histograms:${job.id}` : null, (signal) => load(job.id, signal)), round);
  const [at, goTo] = useQuery("epoch", "last");
  const [axis, setAxis] = useQuery("axis", "still");
  if (!every) {
    return (
      <Empty title={text.noHistograms}>
        <p>{text.noHistogramsHelp}</p>
        <a class="button" href={`/jobs/new?from=${job.id}`}>
          {text.again}
        </a>
      </Empty>
    );
  }
  return (
    <Loaded resource={histograms}>
      {(epochs) => {
        const epoch = chosenEpoch(epochs.map((entry) => entry.epoch), at);
        const shown = epochs.find((entry) => entry.epoch === epoch);
        if (!shown) return <Empty title={text.notYet} />;
        return (
          <>
            <div class="panel-bar">
              <EpochSlider epochs={epochs.map((entry) => entry.epoch)} value={at} onChange={goTo} />
              <Choice label={text.axis} value={axis} onChange={setAxis} options={(["still", "fit"] as const).map((value) => ({ value, label: text.axes[value] }))} />
            </div>
            <p class="muted">{text.histogramCaption}</p>
            {KINDS.map((of) => (
              <Grid key={of} of={of} epochs={epochs} shown={shown} isStill={axis !== "fit"} />
            ))}
          </>
        );
      }}
    </Loaded>
  );
}

/** Least and greatest over all epochs: so the axis holds still while the epoch changes. */
function rangeOf(epochs: Epoch[], layer: string, of: string): [number, number] {
  const found = epochs.flatMap((epoch) => epoch.layers.filter((entry) => entry.layer === layer && entry.of === of));
  return [Math.min(...found.map((entry) => entry.min)), Math.max(...found.map((entry) => entry.max))];
}

function Grid({ of, epochs, shown, isStill }: { of: (typeof KINDS)[number]; epochs: Epoch[]; shown: Epoch; isStill: boolean }) {
  const text = panelsText();
  const layers = shown.layers.filter((entry) => entry.of === of);
  if (layers.length === 0) return null;
  const first = (layer: string): Layer | undefined => epochs[0]?.layers.find((entry) => entry.layer === layer && entry.of === of);
  const rows = () => ({
    columns: ["epoch", "layer", "of", "from", "to", "count"],
    rows: layers.flatMap((entry) => entry.counts.map((count, bin) => [shown.epoch, entry.layer, of, entry.edges[bin] as number, entry.edges[bin + 1] as number, count])),
  });
  return (
    <Figure title={text.kinds[of]} rows={rows}>
      <div class="small-multiples">
        {layers.map((entry) => (
          <div key={entry.layer}>
            <h4>{entry.layer}</h4>
            <Histogram label={`${text.kinds[of]}, ${entry.layer}`} edges={entry.edges} counts={entry.counts} behind={isStill ? first(entry.layer) : undefined} range={isStill ? rangeOf(epochs, entry.layer, of) : undefined} height={96} />
            <p class="reading">
              {text.mean} {number(entry.mean, 3)} · {text.deviation} {number(entry.std, 3)}
              {entry.dead !== null && entry.dead !== undefined && ` · ${text.dead} ${percent(entry.dead)}`}
              {entry.saturated !== null && entry.saturated !== undefined && ` · ${text.saturated} ${percent(entry.saturated)}`}
            </p>
          </div>
        ))}
      </div>
    </Figure>
  );
}
