/** Descents over the cost of a dataset: what is compared, the paths on the map, and what they come to. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, body } from "~/api/client";
import { descentNames, longest, paces, pointsAt, type Answer } from "~/charts/descents";
import { Descents } from "~/charts/Descents";
import { Line } from "~/charts/Line";
import { Choice, NumberField, SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Notice, ProblemNotice, Loaded } from "~/elements/Notice";
import { Empty, Section } from "~/elements/Page";
import { Stepper } from "~/elements/Stepper";
import { titleOf, useCatalog } from "~/forms/catalog";
import { pointOf, useQuery } from "~/state/address";
import { useKept, useResource } from "~/state/resource";
import { useMoving, useSettled } from "~/state/settled";
import { descentsText } from "~/text/descents";
import { integer, number } from "~/text/format";
import type { TabProps } from "../index";
import { columnsFor, COMPARISONS, descentsOf, hasGaps, MOST_EPOCHS, requestOf, usualColumns, type Asked, type Comparison } from "./asked";
import { Fit } from "./Fit";
import { Outcome } from "./Outcome";
import { Settings } from "./Settings";

const FRAME = 60;
const FRAMES = 80;
const USUAL_EPOCHS = "20";

export function DescentsTab({ dataset }: TabProps) {
  const text = descentsText();
  const catalog = useCatalog();
  const { features, targets } = columnsFor(dataset);
  const usual = usualColumns(dataset);
  const [feature, setFeature] = useQuery("feature", usual.feature);
  const [target, setTarget] = useQuery("predict", usual.target);
  const [model, setModel] = useQuery("model");
  const [hold, setHold] = useQuery("hold");
  const [compared, setCompared] = useQuery("compare", "batches");
  const [descentsInAddress, setDescents] = useMoving("descents");
  const [startText, setStart] = useMoving("start");
  const [epochsText, setEpochs] = useMoving("epochs", USUAL_EPOCHS);
  const own = descentsOf(descentsInAddress);
  const comparison = compared in COMPARISONS ? (compared as Comparison) : "batches";
  const asked: Asked = {
    feature: features.includes(feature) ? feature : usual.feature,
    target: targets.includes(target) ? target : usual.target,
    model: model === "linear_regression" || model === "logistic_regression" ? model : null,
    epochs: Math.min(MOST_EPOCHS, Math.max(1, Math.trunc(Number(epochsText)) || Number(USUAL_EPOCHS))),
    start: pointOf(startText),
    hold: hold === "w" || hold === "b" ? hold : null,
    descents: own ?? COMPARISONS[comparison](dataset.rows),
  };
  const isPossible = asked.feature !== "" && asked.target !== "" && asked.feature !== asked.target;
  const request = useSettled(JSON.stringify(requestOf(dataset, asked)), 100);
  const answer = useKept(
    useResource(isPossible ? `descents ${request}` : null, (signal) => body(api.POST("/v1/descents", { body: JSON.parse(request) as never, signal }))),
    (value) => value.dataset_id === dataset.id && value.feature === asked.feature && value.target === asked.target && value.hold === asked.hold && value.paths.length === asked.descents.length,
  );
  const named = (family: string, kind: string) => titleOf(catalog.value, family, kind);
  const names = useMemo(() => (answer.value ? descentNames(answer.value, named) : []), [answer.value, catalog.value, text]);
  const other = (set: (value: string) => void) => (value: string) => {
    setStart("");
    set(value);
  };
  const options = (all: string[]) => all.map((name) => ({ value: name, label: name }));
  if (!isPossible && features.length + targets.length < 3) return <Empty title={text.noColumns}>{text.noColumnsHelp}</Empty>;
  return (
    <>
      <p class="lead after-tabs">{text.lead}</p>
      <div class="fields">
        <SelectField label={text.feature} value={asked.feature} onChange={other(setFeature)} options={options(features.filter((name) => name !== asked.target))} />
        <SelectField label={text.target} value={asked.target} onChange={other(setTarget)} options={options(targets.filter((name) => name !== asked.feature))} />
        <SelectField label={text.model} value={asked.model ?? ""} onChange={other(setModel)} options={(["", "linear_regression", "logistic_regression"] as const).map((value) => ({ value, label: text.models[value] }))} />
        <SelectField
          label={text.compare}
          value={own ? "own" : comparison}
          onChange={(value) => {
            setDescents("");
            setStart("");
            setCompared(value);
          }}
          options={[...Object.keys(COMPARISONS), ...(own ? ["own"] : [])].map((value) => ({ value, label: text.comparisons[value as Comparison | "own"] }))}
        />
        <NumberField label={text.epochs} value={asked.epochs} min={1} max={MOST_EPOCHS} step={1} onChange={(value) => value !== null && setEpochs(String(value))} />
      </div>
      <div class="row field">
        <Choice label={text.parameters} value={asked.hold ?? ""} onChange={setHold} options={(["", "b", "w"] as const).map((value) => ({ value, label: text.holds[value] }))} />
        {asked.start && (
          <button type="button" class="small" onClick={() => setStart("")}>
            {text.usualStart}
          </button>
        )}
      </div>
      {hasGaps(dataset, [asked.feature, asked.target]) && <Notice>{text.gaps}</Notice>}
      <Loaded resource={answer}>
        {(value) => <Shown dataset={dataset} answer={value} names={names} named={named} start={asked.start ?? undefined} onStart={([w, b]) => setStart(`${w},${b}`)} />}
      </Loaded>
      <Section title={text.settings}>
        <ProblemNotice problem={catalog.problem} retry={catalog.reload} />
        {catalog.value && <Settings catalog={catalog.value} descents={asked.descents} names={names} onChange={(next) => setDescents(JSON.stringify(next))} />}
      </Section>
    </>
  );
}

interface ShownProps {
  dataset: TabProps["dataset"];
  answer: Answer;
  names: string[];
  named: (family: string, kind: string) => string;
  start: [number, number] | undefined;
  onStart: (start: [number, number]) => void;
}

function Shown({ dataset, answer, names, named, start, onStart }: ShownProps) {
  const text = descentsText();
  const last = longest(answer);
  const [wanted, setWanted] = useState<number | null>(null);
  const [scale, setScale] = useState<"linear" | "log">("log");
  useEffect(() => setWanted(null), [last]);
  const at = Math.min(last, wanted ?? last);
  const points = pointsAt(answer, at);
  const pace = paces(answer);
  const series = answer.paths.map(({ costs }, place) => {
    const shown = costs.slice(0, points[place]! + 1);
    return { name: names[place] ?? "", x: shown.map((_, step) => step / pace[place]!), y: shown, look: place };
  });
  const wild = names.filter((_, place) => answer.paths[place]!.diverged);
  const climbing = names.filter((_, place) => {
    const { costs, diverged } = answer.paths[place]!;
    return !diverged && costs[costs.length - 1]! > costs[0]!;
  });
  const title = answer.hold ? text.curve : text.map;
  const numbers = () => ({
    columns: ["descent", "step", "w", "b", "cost"],
    rows: answer.paths.flatMap((path, place) => path.points.map(([w, b], step) => [names[place] ?? "", step, w!, b!, path.costs[step]!])),
  });
  return (
    <>
      {wild.length > 0 && (
        <Notice kind="warning" title={text.diverged(wild.join("; "))}>
          {[...new Set(answer.paths.flatMap(({ warnings }) => warnings.map(({ detail }) => detail)))].map((detail) => (
            <p key={detail}>{detail}</p>
          ))}
        </Notice>
      )}
      {climbing.length > 0 && <Notice kind="warning">{text.climbs(climbing.join("; "))}</Notice>}
      <Stepper
        label={text.paths}
        at={at}
        last={last}
        onChange={setWanted}
        says={text.stepOf(integer(at), integer(last), number(Math.floor((at * answer.epochs) / last)))}
        milliseconds={FRAME}
        stride={Math.max(1, Math.round(last / FRAMES))}
      />
      <div class={answer.surfaces.length > 1 ? undefined : "bench even"}>
        <Figure title={title} rows={numbers}>
          <Descents answer={answer} names={names} at={at} start={start} onStart={onStart} scalingName={(kind) => named("scalers", kind)} />
        </Figure>
        <Figure
          title={text.costs}
          rows={numbers}
          actions={<Choice label={text.scale} value={scale} onChange={setScale} options={(["linear", "log"] as const).map((value) => ({ value, label: text.scales[value] }))} />}
        >
          <Line label={text.costs} series={series} xLabel={text.epoch} scale={scale} height={380} range={[0, answer.epochs]} />
        </Figure>
      </div>
      <Fit dataset={dataset} answer={answer} names={names} points={points} />
      <Outcome answer={answer} names={names} points={points} />
      <div class="columns two section">
        {Object.entries(answer.formulas).map(([name, { formula }]) => (
          <Formula key={name} latex={formula} isBlock />
        ))}
      </div>
    </>
  );
}
