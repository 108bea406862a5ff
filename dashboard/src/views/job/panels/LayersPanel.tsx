/** Weights, gradients and activations of each layer through the epochs: their numbers as curves, and how they are spread. */
import { api, body, type Schema } from "~/api/client";
import { completed } from "~/api/completed";
import { Line, type Scale } from "~/charts/Line";
import { EpochSlider, chosenEpoch } from "~/elements/EpochSlider";
import { Choice, SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Loaded, Notice } from "~/elements/Notice";
import { Empty, Section } from "~/elements/Page";
import { useQuery } from "~/state/address";
import { useKept, useResource } from "~/state/resource";
import { integer } from "~/text/format";
import { jobText } from "~/text/job";
import { layersText } from "~/text/layers";
import { formLike } from "../Warnings";
import { useAskedAgain } from "./epochs";
import { LayerHistograms } from "./LayerHistograms";
import { isZero, KINDS, linesOf, numbersOf, rowsOf, type Found, type Kind } from "./layers";
import "./panels.css";

type Job = Schema["JobResource"];
/** Fewer epochs than these tell little of how the layers went. */
const FEW = 4;
const EVERY = "all";

export function LayersPanel({ job }: { job: Job }) {
  const text = layersText();
  const every = completed(job).record.histograms_every ?? 10;
  const round = job.done ? "done" : Math.floor(job.progress.epoch / Math.max(1, every));
  const [namedKind, setKind] = useQuery("of", KINDS[0]);
  const [layer, setLayer] = useQuery("layer", EVERY);
  const kind = (KINDS as readonly string[]).includes(namedKind) ? (namedKind as Kind) : KINDS[0];
  const all = useLayers(job, { of: kind }, round);
  const names = all.value?.layers.map((each) => each.layer) ?? [];
  const one = names.includes(layer) ? layer : EVERY;
  return (
    <>
      <p class="muted">{text.lead}</p>
      <div class="panel-bar">
        <Choice label={text.of} value={kind} onChange={setKind} options={KINDS.map((value) => ({ value, label: text.kinds[value] }))} />
      </div>
      <Loaded resource={all}>
        {(found) => {
          if (found.epochs.length === 0) return <None job={job} every={every} />;
          const shown = one === EVERY ? found : { ...found, layers: found.layers.filter((each) => each.layer === one) };
          return (
            <>
              {job.done && every > 1 && found.epochs.length < FEW && found.epochs.length <= job.progress.epoch && (
                <Notice actions={<Again job={job} />}>{text.few(integer(found.epochs.length), integer(every))}</Notice>
              )}
              {names.length > 1 && (
                <div class="fields">
                  <SelectField label={text.layer} value={one} onChange={setLayer} options={[{ value: EVERY, label: text.every }, ...names.map((name) => ({ value: name, label: name }))]} />
                </div>
              )}
              <Numbers job={job} found={shown} kind={kind} />
              <Spread job={job} kind={kind} layer={one === EVERY ? undefined : one} round={round} />
            </>
          );
        }}
      </Loaded>
    </>
  );
}

/** Layers through the epochs, asked for again as a running job looks at them again. */
function useLayers(job: Job, query: { of: Kind; layer?: string; bins?: boolean }, round: string | number) {
  const asked = useResource(`layers:${job.id}:${JSON.stringify(query)}`, (signal) => body(api.GET("/v1/jobs/{job_id}/layers", { params: { path: { job_id: job.id }, query }, signal })));
  return useAskedAgain(asked, round);
}

/** A new job that looks at its layers after every epoch. */
function Again({ job }: { job: Job }) {
  return (
    <a class="button small" href={formLike(job, { record: { histograms_every: 1 } })}>
      {layersText().again("1")}
    </a>
  );
}

function None({ job, every }: { job: Job; every: number }) {
  const text = layersText();
  return (
    <Empty title={text.none}>
      <p>{text.noneLead}</p>
      {job.done && every > 1 && <Again job={job} />}
    </Empty>
  );
}

/** Each number of the layers as a chart: a line a layer. */
function Numbers({ job, found, kind }: { job: Job; found: Found; kind: Kind }) {
  const text = layersText();
  const [scale, setScale] = useQuery("scale", "linear");
  const { epochs, layers, formulas, rows } = found;
  const about = text.about[kind];
  return (
    <Section
      title={text.kinds[kind]}
      actions={<Choice label={text.scale} value={scale} onChange={setScale} options={(["linear", "log"] as const).map((value) => ({ value, label: text.scales[value] }))} />}
    >
      <p class="muted small">{typeof about === "string" ? about : about(integer(rows))}</p>
      <div class="columns job-charts">
        {numbersOf(layers).map((name) => (
          <Figure
            key={name}
            title={text.numbers[name]}
            rows={() => rowsOf(epochs, layers, name)}
            caption={
              <>
                {text.says[name]} {formulas[name] && <Formula latex={formulas[name]} />}
              </>
            }
          >
            {isZero(layers, name) && <p>{text.zero}</p>}
            {!isZero(layers, name) && <Line label={text.chart(text.numbers[name], text.kinds[kind])} series={linesOf(epochs, layers, name)} xLabel={jobText().curves.axes.epoch} scale={(scale === "log" ? "log" : "linear") as Scale} height={200} syncKey={`layers-${job.id}`} />}
          </Figure>
        ))}
      </div>
    </Section>
  );
}

/** How the numbers are spread at one epoch, beside another one. */
function Spread({ job, kind, layer, round }: { job: Job; kind: Kind; layer: string | undefined; round: string | number }) {
  const text = layersText();
  const [at, goTo] = useQuery("epoch", "last");
  const [beside, setBeside] = useQuery("beside", "first");
  const [axis, setAxis] = useQuery("axis", "still");
  const asked = useLayers(job, { of: kind, bins: true, ...(layer ? { layer } : {}) }, round);
  const found = useKept(asked, (value) => value.job_id === job.id && value.layers.every((each) => each.of === kind));
  return (
    <Section title={text.histograms(text.kinds[kind])}>
      <Loaded resource={found}>
        {(value) => {
          const epoch = chosenEpoch(value.epochs, at);
          if (epoch === undefined) return null;
          const outline = value.epochs.find((each) => String(each) === beside) ?? (value.epochs[0] as number);
          return (
            <>
              <div class="panel-bar">
                <EpochSlider epochs={value.epochs} value={at} onChange={goTo} />
                <Choice label={text.axis} value={axis} onChange={setAxis} options={(["still", "fit"] as const).map((each) => ({ value: each, label: text.axes[each] }))} />
              </div>
              <div class="fields">
                <SelectField label={text.compare} value={String(outline)} onChange={(each) => setBeside(each === String(value.epochs[0]) ? "first" : each)} options={value.epochs.map((each) => ({ value: String(each), label: text.compared(integer(each)) }))} />
              </div>
              <LayerHistograms job={job} found={value} kind={kind} epoch={epoch} outline={outline} isStill={axis !== "fit"} />
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}
