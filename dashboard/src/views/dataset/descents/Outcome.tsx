/** Where each descent has come to, and the minimum that they go for. */
import type { Answer } from "~/charts/descents";
import { seriesLook } from "~/charts/colours";
import { Section } from "~/elements/Page";
import { descentsText } from "~/text/descents";
import { integer, number } from "~/text/format";

interface Props {
  answer: Answer;
  names: string[];
  /** Which point of each path is shown. */
  points: number[];
}

export function Outcome({ answer, names, points }: Props) {
  const text = descentsText();
  const least = answer.surfaces.find(({ minimum }) => minimum)?.minimum;
  return (
    <Section title={text.outcome}>
      <div class="table-frame" tabIndex={0} role="region" aria-label={text.outcome}>
        <table>
          <thead>
            <tr>
              <th>{text.descent}</th>
              {[text.steps, text.weight, text.bias, text.cost].map((name) => (
                <th key={name} class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {answer.paths.map((path, place) => {
              const at = points[place]!;
              return (
                <tr key={place}>
                  <th scope="row" class="nowrap">
                    <svg width="14" height="10" aria-hidden="true">
                      <circle cx="5" cy="5" r="5" fill={seriesLook(place).colour} />
                    </svg>
                    {names[place]}
                  </th>
                  <td class="number">{integer(at)}</td>
                  <td class="number">{number(path.coefficients[at]?.[0], 5)}</td>
                  <td class="number">{number(path.coefficients[at]?.[1], 5)}</td>
                  <td class="number">{number(path.costs[at], 6)}</td>
                </tr>
              );
            })}
            {least && (
              <tr>
                <th scope="row">{text.minimum}</th>
                <td />
                <td class="number">{number(least.coefficients[0], 5)}</td>
                <td class="number">{number(least.coefficients[1], 5)}</td>
                <td class="number">{number(least.cost, 6)}</td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
      <p class="muted small">{text.inUnits}</p>
    </Section>
  );
}
