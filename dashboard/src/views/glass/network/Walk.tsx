/** A trace to walk through: the drawing, the moment, and how the part that is pointed at came about. */
import { useMemo, useState } from "preact/hooks";
import type { Schema } from "~/api/client";
import { keyOf, Network, partOf, type Part } from "~/charts/Network";
import { Choice, Field, SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Notice, ProblemNotice } from "~/elements/Notice";
import { NumberCell } from "~/elements/NumberCell";
import { Stepper } from "~/elements/Stepper";
import { useMoving } from "~/state/settled";
import { appText } from "~/text/app";
import { glassText } from "~/text/glass";
import { networkPageText } from "~/text/glass-network";
import { integer, number } from "~/text/format";
import type { Resource } from "~/state/resource";
import { unitName } from "./names";
import type { Setup } from "./setup";
import { StepsTable } from "./StepsTable";
import { moments, PHASES, Step, type Moment, type Phase } from "./trace";
import { latexOf, workings, type Own } from "./workings";

interface Props {
  resource: Resource<Schema["Trace"]>;
  own: Own;
  /** What the trace is of, where it can be edited. */
  setup?: Setup;
  onChange?: (setup: Setup) => void;
  inputNames?: string[];
  /** What the activation of each layer is called, where it is known. */
  activations?: string[];
}

export function Walk({ resource, ...others }: Props) {
  const [kept, setKept] = useState<Schema["Trace"] | undefined>(undefined);
  if (resource.value && resource.value !== kept) setKept(resource.value);
  const trace = resource.value ?? kept;
  return (
    <>
      <ProblemNotice problem={resource.problem} retry={resource.reload} />
      {trace ? <Walked trace={trace} {...others} /> : resource.isLoading && <p class="waiting" aria-busy="true">{appText().loading}</p>}
    </>
  );
}

function Walked({ trace, own, setup, onChange, inputNames, activations }: Omit<Props, "resource"> & { trace: Schema["Trace"] }) {
  const text = networkPageText();
  const words = glassText();
  const steps = useMemo(() => trace.steps.map((step) => new Step(step)), [trace]);
  const first = steps[0]!;
  const all = useMemo(() => moments(steps.length, first.levels), [steps]);
  const [atText, setAt] = useMoving("at", "0");
  const [chosenKey, setChosen] = useMoving("part");
  const [rowText, setRow] = useMoving("row", "0");
  const [pointed, setPointed] = useState<Part | null>(null);
  const at = Math.min(all.length - 1, Math.max(0, Math.trunc(Number(atText)) || 0));
  const moment = all[at]!;
  const step = steps[moment.step]!;
  const rows = first.of("A")!.length;
  const row = Math.min(rows - 1, Math.max(0, Math.trunc(Number(rowText)) || 0));
  const chosen = known(partOf(chosenKey), first);
  const part = pointed ?? chosen ?? usualPart(moment, first.levels);
  const name = (level: number, unit: number) => (level === 0 && inputNames?.[unit]) || unitName(level, unit, first.levels);
  const partName = (of: Part) =>
    of.kind === "weight" ? text.weight(name(of.layer - 1, of.input), name(of.layer, of.unit)) : of.kind === "bias" ? text.bias(name(of.layer, of.unit)) : of.layer === 0 ? text.input(name(0, of.unit)) : text.unit(name(of.layer, of.unit));
  const shown = drawn(step, moment);
  const says = text.now(integer(moment.step + 1), text.phases[moment.phase] + (moment.level > 0 ? `, ${text.layer(String(moment.level))}` : ""));
  const valueOf = (of: Part) => (of.kind === "unit" ? unitValue(step, moment, of.layer, of.unit, row) : of.kind === "bias" ? shown[of.layer - 1]!.bias?.[of.unit] : shown[of.layer - 1]!.weights?.[of.input]?.[of.unit]);
  const toPhase = (phase: Phase) => setAt(String(all.findIndex((one) => one.step === moment.step && one.phase === phase)));
  const found = workings(steps, moment, part, row, own);
  const beyond = trace.diverged ? steps[steps.length - 1]!.firstBeyond : null;
  const costs = steps.map((one) => one.number("J")!);
  const isGrowing = !beyond && costs.length > 2 && costs.every((cost, place) => place === 0 || cost > costs[place - 1]!);
  const begun = setup && onChange && part.kind !== "unit" ? startOf(setup, part) : undefined;

  return (
    <>
      {beyond && (
        <Notice kind="warning" title={text.beyondTitle}>
          {text.beyond(integer(steps.length), (text.quantities as Record<string, string>)[beyond.name] ?? beyond.name, beyond.layer ? text.ofLayer(beyond.layer) : "", number(beyond.value))}
        </Notice>
      )}
      {isGrowing && <Notice kind="warning">{text.growing}</Notice>}
      <Stepper label={text.slider} at={at} last={all.length - 1} onChange={(next) => setAt(String(next))} says={says} milliseconds={900} />
      <div class="row walk-choices">
        <Choice label={text.phase} value={moment.phase} onChange={toPhase} options={PHASES.map((phase) => ({ value: phase, label: text.phases[phase] }))} />
        {rows > 1 && <SelectField label={text.row} value={String(row)} onChange={setRow} options={Array.from({ length: rows }, (_, place) => ({ value: String(place), label: trace.rows ? `${place + 1} (${trace.rows[place]})` : String(place + 1) }))} />}
      </div>
      <p>{text.says[moment.phase]}</p>
      <div class="bench">
        <Figure title={text.drawing} caption={text.shown[moment.phase]}>
          <Network
            label={`${text.drawing}. ${says}`}
            inputs={first.of("A")![0]!.map((_, unit) => name(0, unit))}
            layers={shown.map((layer, index) => ({ ...layer, activation: activations?.[index] }))}
            unitName={(level, unit) => name(level, unit)}
            unitText={(level, unit) => short(unitValue(step, moment, level, unit, row))}
            describe={(of) => text.isNow(partName(of), number(valueOf(of), 6))}
            highlighted={(of) => isLit(of, moment, first.levels)}
            selected={chosen}
            onSelect={(of) => setChosen(keyOf(of) === chosenKey ? "" : keyOf(of))}
            onPoint={setPointed}
          />
          {moment.phase !== "forward" && (
            <p class="cost">
              J = <strong>{number(step.number("J"), 10)}</strong>
            </p>
          )}
        </Figure>
        <section class="card working" aria-live="polite">
          <h2>{partName(part)}</h2>
          {found.map((working, place) => (
            <div key={place}>
              <Formula latex={latexOf(working)} isBlock />
            </div>
          ))}
          {begun !== undefined && (
            <Field label={text.begin}>{(control) => <NumberCell key={keyOf(part)} id={control.id} label={partName(part)} value={begun} onChange={(value) => onChange!(withStart(setup!, part, value))} />}</Field>
          )}
          {!chosen && <p class="muted">{text.hint}</p>}
        </section>
      </div>
      <StepsTable steps={steps} row={row} title={text.steps} words={{ step: words.step, cost: words.cost, prediction: text.prediction, rate: text.learningRate, norm: text.norm }} onStep={(place) => setAt(String(all.findIndex((one) => one.step === place)))} />
    </>
  );
}

/** Short enough for a circle. */
function short(value: number | undefined): string {
  if (value === undefined) return "";
  const written = number(value, 3);
  return written.length > 7 ? number(value, 1) : written;
}

/** What stands in a circle: δ where the moment has come so far back, else a where it has come so far forward. */
function unitValue(step: Step, { phase, level }: Moment, layer: number, unit: number, row: number): number | undefined {
  if (phase === "backward" && layer >= level && layer > 0) return step.of("dZ", layer)?.[row]?.[unit];
  if (phase === "forward" && layer > level) return undefined;
  return step.of("A", layer)?.[row]?.[unit];
}

/** What the lines show: weights, slopes where the moment has come so far back, new weights at the update. */
function drawn(step: Step, { phase, level }: Moment) {
  return step.layers.slice(1).map((_, index) => {
    const layer = index + 1;
    const form = phase === "update" ? "new_" : phase === "backward" && layer >= level ? "d" : "";
    return { units: step.units(layer), weights: step.of(`${form}W`, layer), bias: step.of(`${form}b`, layer)?.[0] ?? null };
  });
}

function isLit(part: Part, { phase, level }: Moment, levels: number): boolean {
  if (phase === "update") return part.kind !== "unit";
  if (phase === "loss") return part.kind === "unit" && part.layer === levels;
  return part.layer === level || (phase === "forward" && part.kind === "unit" && part.layer === level - 1);
}

/** The part that is explained where none is chosen. */
function usualPart({ phase, level }: Moment, levels: number): Part {
  if (phase === "update") return { kind: "weight", layer: levels, input: 0, unit: 0 };
  return { kind: "unit", layer: phase === "loss" ? levels : level, unit: 0 };
}

/** The part, where the network has it. */
function known(part: Part | null, step: Step): Part | null {
  if (!part || part.layer > step.levels || part.unit >= step.units(part.layer)) return null;
  if (part.kind === "unit") return part;
  if (part.layer === 0 || (part.kind === "bias" && !step.of("b", part.layer))) return null;
  return part.kind === "weight" && part.input >= step.units(part.layer - 1) ? null : part;
}

function startOf(setup: Setup, part: Part & { kind: "weight" | "bias" }): number | undefined {
  const layer = setup.layers[part.layer - 1];
  return part.kind === "bias" ? layer?.bias?.[part.unit] : layer?.weights[part.input]?.[part.unit];
}

function withStart(setup: Setup, part: Part, value: number): Setup {
  return {
    ...setup,
    layers: setup.layers.map((layer, index) => {
      if (index !== part.layer - 1) return layer;
      if (part.kind === "bias") return { ...layer, bias: layer.bias!.map((old, unit) => (unit === part.unit ? value : old)) };
      return { ...layer, weights: layer.weights.map((cells, from) => cells.map((old, unit) => (part.kind === "weight" && from === part.input && unit === part.unit ? value : old))) };
    }),
  };
}
