/** One optimizer, step by step, on a cost of one or two parameters. */
import { useMemo } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { Curve } from "~/charts/Curve";
import { Landscape, type Point } from "~/charts/Landscape";
import { Choice, NumberField, SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Loaded, Notice } from "~/elements/Notice";
import { Stepper } from "~/elements/Stepper";
import { useCatalog } from "~/forms/catalog";
import { KindField } from "~/forms/KindField";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { useMoving, useSettled } from "~/state/settled";
import { glassText } from "~/text/glass";
import { optimizersText } from "~/text/glass-optimizers";
import { integer } from "~/text/format";
import { landscapeName, useGrid, useLandscapes } from "../landscapes/LandscapesPage";
import { kindsOf, usualRacers } from "../landscapes/race";
import { StepNumbers } from "./StepNumbers";
import { StepWorking } from "./StepWorking";

const MOST_STEPS = 200;

export default function OptimizersPage() {
  const text = optimizersText();
  const words = glassText();
  const catalog = useCatalog();
  const landscapes = useLandscapes();
  const [landscape, setLandscape] = useQuery("on", "bowl");
  const [count, setCount] = useQuery("parameters", "one");
  const [startText, setStart] = useMoving("start");
  const [optimizerText, setOptimizer] = useMoving("optimizer");
  const [stepsText, setSteps] = useMoving("steps", "15");
  const [atText, setAt] = useMoving("at", "1");
  const found = useGrid(landscape);
  const isOne = count !== "two";
  const optimizer = kindsOf(`[${optimizerText}]`)?.[0] ?? { ...usualRacers(landscape)[1]!, learning_rate: usualRacers(landscape)[0]!.learning_rate };
  const steps = Math.min(MOST_STEPS, Math.max(1, Math.trunc(Number(stepsText)) || 15));
  const given = startText === "" ? [] : startText.split(",").map(Number);
  const usual = found.value?.start ?? [-2, 2];
  const start: Point = [Number.isFinite(given[0]) ? given[0]! : usual[0]!, isOne ? 0 : Number.isFinite(given[1]) ? given[1]! : usual[1]!];
  const asked = useSettled(JSON.stringify([landscape, { start, optimizers: [optimizer], steps }]), 150);
  const descent = useResource(found.value ? `steps ${asked}` : null, (signal) => {
    const [name, request] = JSON.parse(asked) as [string, Schema["DescendRequest"]];
    return body(api.POST("/v1/landscapes/{name}/descend", { params: { path: { name } }, body: request, signal }));
  });
  /** The cost along w₁ where w₂ = 0: the row of the grid that lies there. */
  const line = useMemo(() => found.grid && found.grid.values[nearestRow(found.grid.y)], [found.grid]);
  return (
    <>
      <p class="lead after-tabs">{text.lead}</p>
      <div class="columns">
        <div>
          <div class="fields narrow">
            <SelectField
              label={text.landscape}
              value={landscape}
              options={(landscapes.value?.items ?? [{ kind: landscape }]).map(({ kind }) => ({ value: kind, label: landscapeName(kind) }))}
              onChange={(value) => {
                setStart("");
                setLandscape(value, true);
              }}
            />
            <NumberField label={text.steps} value={steps} min={1} max={MOST_STEPS} step={1} onChange={(value) => value !== null && setSteps(String(value))} />
            <NumberField label={text.start1} value={start[0]} onChange={(value) => value !== null && setStart(`${value},${start[1]}`)} />
            {!isOne && <NumberField label={text.start2} value={start[1]} onChange={(value) => value !== null && setStart(`${start[0]},${value}`)} />}
          </div>
          <Choice label={text.parameters} value={isOne ? "one" : "two"} onChange={setCount} options={(["one", "two"] as const).map((value) => ({ value, label: text.counts[value] }))} />
          {found.value && (
            <>
              <Formula latex={found.value.formula} isBlock />
              <Formula latex={found.value.derivative} isBlock />
            </>
          )}
        </div>
        <Loaded resource={catalog}>{(entries) => <KindField label={words.optimizer} catalog={entries} family="optimizers" value={optimizer} onChange={(next) => setOptimizer(JSON.stringify(next))} />}</Loaded>
      </div>
      <Loaded resource={descent}>
        {({ paths }) => {
          const path = paths[0]!;
          const last = path.points.length - 1;
          const at = Math.min(last, Math.max(0, Math.trunc(Number(atText)) || 0));
          const leaves = isOne && path.gradients.some((gradient) => gradient[1] !== 0);
          return (
            <>
              {path.diverged && <Notice kind="warning">{text.diverged(integer(last))}</Notice>}
              {leaves && <Notice kind="warning">{text.leaves}</Notice>}
              <Stepper label={words.step} at={at} last={last} onChange={(next) => setAt(String(next))} says={words.stepOf(integer(at), integer(last))} milliseconds={700} />
              <div class="bench">
                {isOne && !leaves ? (
                  <Figure title={text.curve}>
                    {found.grid && line && <Curve label={text.curve} x={found.grid.x} y={line} paths={[{ name: optimizer.kind, points: path.points.slice(0, at + 1).map((point, place) => ({ x: point[0]!, y: path.costs[place]! })) }]} xLabel="w₁" yLabel={words.cost} />}
                  </Figure>
                ) : (
                  <Figure title={text.map}>
                    {found.grid && found.value && (
                      <Landscape
                        label={text.map}
                        grid={found.grid}
                        minima={found.value.minima.map(({ point }) => point as Point)}
                        paths={[{ name: optimizer.kind, points: path.points.slice(0, at + 1) as Point[], look: 1 }]}
                        start={start}
                        onStart={isOne ? undefined : ([x, y]) => setStart(`${x},${y}`)}
                      />
                    )}
                  </Figure>
                )}
                <Loaded resource={catalog}>{(entries) => <StepWorking path={path} at={at} catalog={entries} parameters={isOne && !leaves ? [0] : [0, 1]} />}</Loaded>
              </div>
              <Loaded resource={catalog}>{(entries) => <StepNumbers path={path} at={at} catalog={entries} parameters={isOne && !leaves ? [0] : [0, 1]} onStep={(step) => setAt(String(step))} />}</Loaded>
            </>
          );
        }}
      </Loaded>
    </>
  );
}

const nearestRow = (axis: number[]): number => axis.reduce((best, value, row) => (Math.abs(value) < Math.abs(axis[best]!) ? row : best), 0);
