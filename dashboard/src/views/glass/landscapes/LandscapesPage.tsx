/** Optimizers race down a landscape: the path on the map, the cost beside it. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { Landscape, type Point } from "~/charts/Landscape";
import { Line, type Scale } from "~/charts/Line";
import { Choice, NumberField, SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Loaded, Notice, ProblemNotice } from "~/elements/Notice";
import { Section } from "~/elements/Page";
import { Stepper } from "~/elements/Stepper";
import { titleOf, useCatalog } from "~/forms/catalog";
import { pointOf, useQuery } from "~/state/address";
import { useKept, useResource } from "~/state/resource";
import { useMoving, useSettled } from "~/state/settled";
import { glassText } from "~/text/glass";
import { landscapesText } from "~/text/glass-landscapes";
import { integer } from "~/text/format";
import { Outcome } from "./Outcome";
import { Racers } from "./Racers";
import { descendRequest, kindsOf, MOST_STEPS, racerNames, usualRacers, type Race } from "./race";

const RESOLUTION = 121;
const FRAME = 40;
const SECONDS = { slow: 12, normal: 5, fast: 2 };

export function useLandscapes() {
  return useResource("landscapes", (signal) => body(api.GET("/v1/landscapes", { signal })));
}

export function useGrid(name: string) {
  const found = useResource(`landscape ${name}`, (signal) => body(api.GET("/v1/landscapes/{name}", { params: { path: { name }, query: { resolution: RESOLUTION } }, signal })));
  const grid = useMemo(() => found.value && { x: found.value.w1, y: found.value.w2, values: found.value.costs }, [found.value]);
  return { ...found, grid };
}

/** What a landscape is called: known names in the reader's language, others as the API has them. */
export const landscapeName = (kind: string): string => (landscapesText().names as Record<string, string>)[kind] ?? kind.replaceAll("_", " ");

export default function LandscapesPage() {
  const text = landscapesText();
  const words = glassText();
  const catalog = useCatalog();
  const landscapes = useLandscapes();
  const [landscape, setLandscape] = useQuery("on", "elongated_bowl");
  const [startText, setStart] = useMoving("start");
  const [racersText, setRacers] = useMoving("race");
  const [scheduleText, setSchedule] = useMoving("schedule");
  const [stepsText, setSteps] = useMoving("steps", "80");
  const [speed, setSpeed] = useState<keyof typeof SECONDS>("normal");
  const [scale, setScale] = useState<Scale | null>(null);
  const found = useGrid(landscape);
  const race: Race = {
    landscape,
    start: pointOf(startText),
    racers: kindsOf(racersText) ?? usualRacers(landscape),
    schedule: kindsOf(`[${scheduleText || '{"kind":"constant"}'}]`)?.[0] ?? { kind: "constant" },
    steps: Math.min(MOST_STEPS, Math.max(1, Math.trunc(Number(stepsText)) || 80)),
  };
  const asked = useSettled(JSON.stringify([landscape, descendRequest(race)]), 80);
  const descent = useKept(
    useResource(`descent ${asked}`, (signal) => {
      const [name, request] = JSON.parse(asked) as [string, Schema["DescendRequest"]];
      return body(api.POST("/v1/landscapes/{name}/descend", { params: { path: { name } }, body: request, signal }));
    }),
    ({ kind }) => kind === landscape,
  );
  const [at, setAt] = useState<number | null>(null);
  useEffect(() => setAt(null), [landscape, race.steps]);
  const shownAt = Math.min(at ?? race.steps, race.steps);
  const names = racerNames((descent.value?.paths ?? []).map(({ optimizer }) => optimizer as never), (kind) => titleOf(catalog.value, "optimizers", kind));
  const start: Point = race.start ?? ((found.value?.start ?? [0, 0]) as Point);
  const series = (descent.value?.paths ?? []).map((path, place) => {
    const costs = path.costs.slice(0, shownAt + 1);
    return { name: names[place]!, x: costs.map((_, step) => step), y: costs, look: place };
  });
  const isPositive = (descent.value?.paths ?? []).every((path) => path.costs.every((cost) => cost > 0));
  const shownScale = scale ?? (isPositive ? "log" : "linear");
  const wild = (descent.value?.paths ?? []).flatMap((path, place) => (path.diverged ? [names[place]!] : []));

  return (
    <>
      <p class="lead after-tabs">{text.lead}</p>
      <div class="fields narrow">
        <SelectField
          label={text.landscape}
          value={landscape}
          options={(landscapes.value?.items ?? [{ kind: landscape }]).map(({ kind }) => ({ value: kind, label: landscapeName(kind) }))}
          onChange={(value) => {
            setStart("");
            setRacers("");
            setLandscape(value, true);
          }}
        />
        <NumberField label={text.steps} value={race.steps} min={1} max={MOST_STEPS} step={1} onChange={(value) => value !== null && setSteps(String(value))} />
        <NumberField label={text.startX} value={start[0]} onChange={(value) => value !== null && setStart(`${value},${start[1]}`)} />
        <NumberField label={text.startY} value={start[1]} onChange={(value) => value !== null && setStart(`${start[0]},${value}`)} />
      </div>
      <Loaded resource={found}>
        {(known) => (
          <>
            <div class="row">
              <p class="muted">{known.summary}</p>
              {race.start && (
                <button type="button" class="small" onClick={() => setStart("")}>
                  {text.usualStart}
                </button>
              )}
            </div>
            <Formula latex={known.formula} isBlock />
            <Stepper
              label={text.race}
              at={shownAt}
              last={race.steps}
              onChange={setAt}
              says={words.stepOf(integer(shownAt), integer(race.steps))}
              milliseconds={FRAME}
              stride={Math.max(1, Math.round((race.steps * FRAME) / 1000 / SECONDS[speed]))}
            />
            <Choice label={words.speed} value={speed} onChange={setSpeed} options={(Object.keys(SECONDS) as (keyof typeof SECONDS)[]).map((value) => ({ value, label: text.speeds[value] }))} />
            <ProblemNotice problem={descent.problem} retry={descent.reload} />
            {wild.length > 0 && <Notice kind="warning">{text.diverged(wild.join(", "))}</Notice>}
            <div class="bench even">
              <Figure title={text.map} rows={() => rowsOf(descent.value, names)}>
                {found.grid && (
                  <Landscape
                    label={`${text.map}: ${landscapeName(landscape)}`}
                    grid={found.grid}
                    minima={known.minima.map(({ point }) => point as Point)}
                    paths={(descent.value?.paths ?? []).map((path, place) => ({ name: names[place]!, points: path.points.slice(0, shownAt + 1) as Point[], look: place }))}
                    start={start}
                    onStart={([x, y]) => setStart(`${x},${y}`)}
                  />
                )}
              </Figure>
              <Figure
                title={text.curves}
                rows={() => rowsOf(descent.value, names)}
                actions={<Choice label={text.scale} value={shownScale} onChange={setScale} options={(["linear", "log", "arcsinh"] as const).map((value) => ({ value, label: text.scales[value] }))} />}
              >
                <Line label={text.curves} series={series} xLabel={text.step} scale={shownScale} height={380} range={[0, race.steps]} />
              </Figure>
            </div>
            {descent.value && <Outcome descent={descent.value} names={names} minima={known.minima} />}
          </>
        )}
      </Loaded>
      <Section title={text.racers}>
        <Loaded resource={catalog}>
          {(entries) => <Racers catalog={entries} racers={race.racers} schedule={race.schedule} onRacers={(racers) => setRacers(JSON.stringify(racers))} onSchedule={(schedule) => setSchedule(schedule.kind === "constant" ? "" : JSON.stringify(schedule))} />}
        </Loaded>
      </Section>
    </>
  );
}

function rowsOf(descent: Schema["Descent"] | undefined, names: string[]) {
  const rows = (descent?.paths ?? []).flatMap((path, place) => path.points.map((point, step) => [names[place]!, step, point[0]!, point[1]!, path.costs[step]!]));
  return { columns: ["optimizer", "step", "w1", "w2", "cost"], rows };
}

