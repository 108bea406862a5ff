/** The curves of compared jobs, a chart for each series, on one axis. */
import { Line, type Scale } from "~/charts/Line";
import { Choice } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { useQuery } from "~/state/address";
import { appText } from "~/text/app";
import { compareText } from "~/text/compare";
import { integer, number } from "~/text/format";
import { seriesName } from "~/text/series";
import { LARGEST_SMOOTHING, linesOf, offered, rowsOf, type Comparison } from "./comparison";

interface Props {
  comparison: Comparison;
  names: Map<string, string>;
  isLoading: boolean;
  /** The axis that the address asks for; the comparison may still be on the one before. */
  asked: Comparison["axis"];
  shown: string[];
  onShown: (series: string[]) => void;
  smoothing: number;
  range: [number, number] | null;
  onRange: (range: [number, number] | null) => void;
}

export function Curves({ comparison, names, isLoading, asked, shown, onShown, smoothing, range, onRange }: Props) {
  const text = compareText();
  const { jobs, sampling } = comparison;
  const [, setAxis] = useQuery("axis", "epoch");
  const [askedScale, setScale] = useQuery("scale", "linear");
  const [, setSmoothing] = useQuery("smoothing", "0");
  const [, setRange] = useQuery("range");
  const axis = comparison.axis;
  const curves = offered(comparison.names);
  const scale = (askedScale in text.scales ? askedScale : "linear") as Scale;
  const toggle = (name: string) => onShown(shown.includes(name) ? shown.filter((other) => other !== name) : curves.filter((other) => other === name || shown.includes(other)));
  const captions = [smoothing > 0 && text.smoothed(number(smoothing, 2)), !sampling.exact && text.sampled(integer(sampling.returned), integer(sampling.total))];
  return (
    <>
      <div class="row compare-controls">
        <Choice
          label={text.axis}
          value={asked}
          onChange={(value) => {
            setRange("");
            setAxis(value);
          }}
          options={(["epoch", "step", "seconds"] as const).map((value) => ({ value, label: text.axes[value] }))}
        />
        <Choice label={text.scale} value={scale} onChange={(value) => setScale(value)} options={(["linear", "log", "arcsinh"] as const).map((value) => ({ value, label: text.scales[value] }))} />
        <label class="compare-smoothing">
          {text.smoothing}
          <input type="range" min={0} max={LARGEST_SMOOTHING} step={0.01} value={smoothing} onInput={(event) => setSmoothing(event.currentTarget.value)} />
          <output>{number(smoothing, 2)}</output>
        </label>
        {range && (
          <button type="button" class="small" onClick={() => onRange(null)}>
            {text.wholeRange}
          </button>
        )}
      </div>
      <fieldset class="compare-series">
        <legend class="visually-hidden">{text.series}</legend>
        {curves.map((name) => (
          <label key={name} class="check">
            <input type="checkbox" checked={shown.includes(name)} disabled={shown.length === 1 && shown[0] === name} onChange={() => toggle(name)} />
            {seriesName(name)}
          </label>
        ))}
      </fieldset>
      <div class="columns two">
        {shown.map((name) => {
          const title = seriesName(name);
          const lines = linesOf(jobs, name, names, smoothing > 0);
          return (
            <Figure key={name} title={title} rows={() => rowsOf(jobs, name, text.axisLabels[axis], names, { ...text.csv, value: name })} caption={captions.filter(Boolean).join(" ")}>
              {lines.length === 0 ? (
                <p class="muted">{isLoading ? appText().loading : text.noCurve}</p>
              ) : (
                <Line
                  label={text.chartLabel(title, text.axisLabels[axis], integer(lines.length))}
                  series={lines}
                  xLabel={text.axisLabels[axis]}
                  scale={scale}
                  range={range}
                  onRange={onRange}
                  syncKey="compare"
                />
              )}
            </Figure>
          );
        })}
      </div>
    </>
  );
}
