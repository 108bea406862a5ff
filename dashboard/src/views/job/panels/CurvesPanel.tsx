/** Curves of a job, live: losses, metrics and what else was recorded, on one axis with one cursor. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, body } from "~/api/client";
import { Line, type Mark, type Scale, type Series } from "~/charts/Line";
import { Check, Choice } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { ProblemNotice } from "~/elements/Notice";
import { Empty } from "~/elements/Page";
import { useChoice, useQuery } from "~/state/address";
import { remembered } from "~/state/preferences";
import { integer, number } from "~/text/format";
import { jobText } from "~/text/job";
import { language } from "~/text/language";
import { seriesName } from "~/text/series";
import { chartsOf, coarseness, isSampled, withDetail, type Axis, type Chart, type Curves, type Held } from "../curves";
import type { Job } from "../live";
import { isOfBatches, useCurves, useDetail } from "../useCurves";

const BETAS = ["0", "0.6", "0.9", "0.97", "0.99", "0.999"];
const AVERAGE = "s_t = \\frac{\\sum_{i \\le t} \\beta^{t-i}\\, y_i}{\\sum_{i \\le t} \\beta^{t-i}}";
const ADDRESS_MILLISECONDS = 300;

const scaleKept = remembered<Scale>("job.scale", "linear");
const betaKept = remembered("job.smoothing", "0");
const axisKept = remembered<Axis>("job.axis", "epoch");
const bandKept = remembered<"on" | "off">("job.band", "on");
const hiddenKept = remembered("job.hidden", "none");

type Range = [number, number] | null;

/** The stretch that is shown; the address follows once the reader stays. */
function useRange(axis: Axis): [Range, (range: Range) => void] {
  const [named, setNamed] = useQuery("range");
  const parts = named.split("_").map(Number);
  const inAddress: Range = parts.length === 2 && parts.every(Number.isFinite) && parts[0]! < parts[1]! ? (parts as [number, number]) : null;
  const [range, setRange] = useState<Range>(inAddress);
  useEffect(() => setRange(inAddress), [named]);
  useEffect(() => {
    const wanted = range ? range.map((end) => Number(end.toPrecision(7))).join("_") : "";
    if (wanted === named) return;
    const timer = setTimeout(() => setNamed(wanted), ADDRESS_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [range?.[0], range?.[1]]);
  const [before, setBefore] = useState(axis);
  if (before !== axis) {
    setBefore(axis);
    setRange(null);
  }
  return [range, setRange];
}

const titleOf = (name: string): string => (name === "seconds" ? jobText().curves.secondsPerEpoch : seriesName(name));

interface PlotProps {
  job: Job;
  chart: Chart;
  curves: Curves;
  unit: string | undefined;
  axis: Axis;
  scale: Scale;
  beta: number;
  hasBand: boolean;
  range: Range;
  onRange: (range: Range) => void;
  hidden: string[];
  onHidden: (names: string[]) => void;
  marks: Mark[];
}

/** A curve as the chart draws it: its values, pale where a smoothed line stands before them, with their band. */
function seriesOf(chart: Chart, curves: Curves, beta: number, hasBand: boolean): Series[] {
  const text = jobText().curves;
  return chart.curves.flatMap((name, look) => {
    const curve = curves[name] as Held;
    const label = chart.curves.length === 1 && chart.name === name ? titleOf(name) : name.startsWith("validation_") ? text.validation : text.train;
    const band = hasBand && isSampled(curve) ? { min: curve.min, max: curve.max } : {};
    const raw: Series = { name: label, x: curve.x, y: curve.value, look, isFaint: beta > 0, ...band };
    return beta > 0 && curve.smoothed ? [raw, { name: text.smoothed(label, number(beta, 4)), x: curve.x, y: curve.smoothed, look }] : [raw];
  });
}

function Plot({ job, chart, curves, unit, axis, scale, beta, hasBand, range, onRange, hidden, onHidden, marks }: PlotProps) {
  const text = jobText().curves;
  const title = titleOf(chart.name);
  const parts = chart.curves.map((name) => curves[name]);
  const series = useMemo(() => seriesOf(chart, curves, beta, hasBand), [...parts, beta, hasBand, language.value]);
  const drawn = parts[0];
  const file = () => {
    const query = { series: chart.curves.join(), ...(beta > 0 ? { smoothing: beta } : {}) };
    return body(api.GET("/v1/jobs/{job_id}/curves", { params: { path: { job_id: job.id }, query }, headers: { Accept: "text/csv" }, parseAs: "blob" }));
  };
  return (
    <Figure title={title} file={file} caption={unit && text.unit(unit)}>
      <Line
        label={`${text.chart(title, text.axes[axis])} ${drawn ? text.points(integer(drawn.step.length), integer(drawn.step[0]), integer(drawn.step.at(-1))) : ""}`}
        series={series}
        xLabel={text.axes[axis]}
        scale={scale}
        height={240}
        marks={marks}
        range={range}
        onRange={onRange}
        syncKey={`job-${job.id}`}
        hidden={hidden}
        onHidden={onHidden}
      />
    </Figure>
  );
}

/** Where the best epoch lies on the axis. */
function bestMark(job: Job, curve: Held | undefined): Mark[] {
  const epoch = Number(job.best?.epoch ?? NaN);
  if (!curve || !Number.isFinite(epoch)) return [];
  const k = curve.step.findIndex((step) => step >= epoch);
  if (k < 0) return [];
  const [step, x] = [curve.step[k] as number, curve.x[k] as number];
  const before = k > 0 ? (curve.x[k - 1] as number) + ((x - (curve.x[k - 1] as number)) * (epoch - (curve.step[k - 1] as number))) / (step - (curve.step[k - 1] as number)) : x;
  return [{ x: step === epoch ? x : before, label: jobText().curves.best(integer(epoch)) }];
}

export function CurvesPanel({ job }: { job: Job }) {
  const text = jobText().curves;
  const [scale, setScale] = useChoice("scale", scaleKept);
  const [smoothing, setSmoothing] = useChoice("smoothing", betaKept);
  const [axis, setAxis] = useChoice("axis", axisKept);
  const [band, setBand] = useChoice("band", bandKept);
  const [hide, setHide] = useChoice("hide", hiddenKept);
  const beta = Math.min(0.9999, Math.max(0, Number(smoothing) || 0));
  const [range, setRange] = useRange(axis);
  const { shown, problem } = useCurves(job, { axis, beta });
  const detail = useDetail(job, { axis, beta }, shown?.curves, range);
  const names = shown ? Object.keys(shown.curves).filter((name) => (shown.curves[name] as Held).step.length > 0) : [];
  const charts = useMemo(() => chartsOf(names), [names.join()]);
  const curves = useMemo<Curves>(() => Object.fromEntries(names.map((name) => [name, withDetail(shown?.curves[name] as Held, detail[name])])), [shown, detail]);
  const first = names.find((name) => !isOfBatches(name));
  const marks = bestMark(job, first ? curves[first] : undefined);
  const most = Math.max(1, ...names.filter((name) => !isOfBatches(name)).map((name) => coarseness(shown?.curves[name] as Held)));
  const hidden = hide === "none" ? [] : hide.split("~");

  if (problem && problem.status === 410) return <Empty title={problem.detail} />;
  return (
    <>
      <ProblemNotice problem={problem} />
      <div class="row job-controls">
        <Choice label={text.scale} value={scale} onChange={setScale} options={(["linear", "log", "arcsinh"] as const).map((value) => ({ value, label: text.scales[value] }))} />
        <Choice label={text.axis} value={axis} onChange={setAxis} options={(["epoch", "step", "seconds"] as const).map((value) => ({ value, label: text.axes[value] }))} />
        <Choice label={text.smoothing} value={smoothing} onChange={setSmoothing} options={BETAS.map((value) => ({ value, label: value === "0" ? text.off : number(Number(value)) }))} />
        <Check label={text.band} checked={band === "on"} onChange={(isOn) => setBand(isOn ? "on" : "off")} />
        {range && (
          <button type="button" class="small" onClick={() => setRange(null)}>
            {text.showAll}
          </button>
        )}
      </div>
      {beta > 0 && (
        <p class="muted small">
          {text.smoothedBy(number(beta), integer(Math.round(1 / (1 - beta))))} <Formula latex={AVERAGE} />
        </p>
      )}
      {shown && names.length === 0 && <Empty title={job.done ? text.none : text.notYet} />}
      <div class="columns job-charts">
        {charts.map((chart) => (
          <Plot
            key={chart.name}
            job={job}
            chart={chart}
            curves={curves}
            unit={shown?.units[chart.curves[0] as string]}
            axis={axis}
            scale={scale}
            beta={beta}
            hasBand={band === "on"}
            range={range}
            onRange={setRange}
            hidden={hidden}
            onHidden={(all) => setHide(all.length ? all.join("~") : "none")}
            marks={chart.curves.some(isOfBatches) ? [] : marks}
          />
        ))}
      </div>
      {charts.length > 0 && (
        <p class="muted small">
          {most > 1 && text.sampled(integer(most))} {text.keys}
        </p>
      )}
    </>
  );
}
