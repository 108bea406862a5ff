/** A slice of a job's loss: the surface with the run's path, what it holds of it, and what was left out. */
import { useMemo } from "preact/hooks";
import type { Schema } from "~/api/client";
import { Landscape, type Point } from "~/charts/Landscape";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Notice } from "~/elements/Notice";
import { Section } from "~/elements/Page";
import { integer, number, percent, toNumber } from "~/text/format";
import { panelsText } from "~/text/panels";
import { slicesText } from "~/text/slices";

/** Share of the run's movement below which the path is said to be a shadow. */
const SHADOW = 0.5;

export function Slice({ slice }: { slice: Schema["JobLandscape"] }) {
  const text = slicesText();
  const grid = useMemo(() => ({ x: slice.alpha, y: slice.beta, values: slice.costs.map((row) => row.map(toNumber)) }), [slice]);
  const path = slice.path.map(({ alpha, beta }): Point => [toNumber(alpha), toNumber(beta)]);
  const [lowest, highest] = useMemo(() => {
    const all = grid.values.flat().filter(Number.isFinite);
    return [Math.min(...all), Math.max(...all)];
  }, [grid]);
  const isOutside = ([x, y]: Point) => x < grid.x[0]! || x > grid.x.at(-1)! || y < grid.y[0]! || y > grid.y.at(-1)!;
  const outside = path.filter(isOutside).length;
  const { explained, rows_left_out, path_left_out } = slice;
  const notes = [
    text.ofRows(integer(slice.rows), text.splits[slice.split]),
    rows_left_out > 0 && text.rowsLeftOut(integer(rows_left_out)),
    path_left_out > 0 && text.pathLeftOut(integer(path_left_out)),
    path_left_out === 0 && slice.path.some(({ epoch }, place) => place > 0 && epoch - slice.path[place - 1]!.epoch > 1) && text.coarse,
    outside > 0 && text.outside(integer(outside)),
    text.projection,
  ];
  return (
    <>
      {explained && explained[0]! + explained[1]! < SHADOW && <Notice kind="warning">{text.shadow}</Notice>}
      <div class="bench">
        <Figure
          title={text.surface}
          caption={notes.filter(Boolean).join(" ")}
          rows={() => ({ columns: ["alpha", "beta", "cost"], rows: grid.values.flatMap((row, down) => row.map((cost, across) => [grid.x[across]!, grid.y[down]!, cost])) })}
        >
          <Landscape label={text.surface} grid={grid} minima={[]} paths={path.length > 0 ? [{ name: text.path, points: path, look: 1 }] : []} start={path[0] ?? null} xLabel="α" yLabel="β" />
        </Figure>
        <div class="stack">
          <dl class="tiles">
            <div>
              <dt>{text.cost}</dt>
              <dd>{number(slice.cost)}</dd>
            </div>
            <div>
              <dt>{text.range}</dt>
              <dd>
                {number(lowest, 3)} … {number(highest, 3)}
              </dd>
            </div>
            {explained && (
              <div>
                <dt>{text.explained}</dt>
                <dd>{text.explainedBy(percent(explained[0], 1), percent(explained[1], 1))}</dd>
              </div>
            )}
          </dl>
          {slice.path.length > 0 && <Run path={slice.path} />}
        </div>
      </div>
      <details class="section">
        <summary>{text.formulas}</summary>
        {Object.entries(slice.formulas).map(([name, { formula, source }]) => (
          <div key={name}>
            <Formula latex={formula} isBlock />
            {source && <p class="muted small">{source}</p>}
          </div>
        ))}
      </details>
    </>
  );
}

function Run({ path }: { path: Schema["PathPointResource"][] }) {
  const text = slicesText();
  return (
    <Section title={text.run}>
      <div class="table-frame tall-table" tabIndex={0} role="region" aria-label={text.run}>
        <table>
          <thead>
            <tr>
              {[panelsText().epoch, "α", "β", text.distance, text.costThere].map((name) => (
                <th key={name} class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {path.map((point) => (
              <tr key={point.epoch}>
                <td class="number">{integer(point.epoch)}</td>
                <td class="number">{number(point.alpha, 3)}</td>
                <td class="number">{number(point.beta, 3)}</td>
                <td class="number">{number(point.distance, 3)}</td>
                <td class="number">{number(point.cost)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
