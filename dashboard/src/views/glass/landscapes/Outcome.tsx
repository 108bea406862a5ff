/** Where each optimizer came to. */
import type { Schema } from "~/api/client";
import { Section } from "~/elements/Page";
import { seriesLook } from "~/charts/colours";
import { integer, number } from "~/text/format";
import { landscapesText } from "~/text/glass-landscapes";
import { toNearest } from "./race";

interface Props {
  descent: Schema["Descent"];
  names: string[];
  minima: Schema["Minimum"][];
}

export function Outcome({ descent, names, minima }: Props) {
  const text = landscapesText();
  return (
    <Section title={text.outcome}>
      <div class="table-frame">
        <table>
          <thead>
            <tr>
              <th>{text.racer}</th>
              <th class="number">{text.rate}</th>
              <th class="number">{text.end}</th>
              <th class="number">{text.endCost}</th>
              <th class="number">{text.nearest}</th>
            </tr>
          </thead>
          <tbody>
            {descent.paths.map((path, place) => {
              const last = path.points[path.points.length - 1]!;
              const nearest = toNearest(last, minima);
              return (
                <tr key={names[place]}>
                  <th class="nowrap">
                    <svg width="14" height="10" aria-hidden="true">
                      <circle cx="5" cy="5" r="5" fill={seriesLook(place).colour} />
                    </svg>
                    {names[place]}
                  </th>
                  <td class="number">{number(path.optimizer.learning_rate)}</td>
                  <td class="number">{path.diverged ? text.divergedAt(integer(path.points.length - 1)) : `(${number(last[0])}; ${number(last[1])})`}</td>
                  <td class="number">{number(path.costs[path.costs.length - 1], 6)}</td>
                  <td class="number">{nearest === null ? text.noMinimum : number(nearest, 3)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
