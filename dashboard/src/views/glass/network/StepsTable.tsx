/** What each step did: the cost, the predictions, how steep it was. */
import { Section } from "~/elements/Page";
import { integer, number } from "~/text/format";
import type { Step } from "./trace";

interface Props {
  steps: Step[];
  row: number;
  title: string;
  words: { step: string; cost: string; prediction: string; rate: string; norm: string };
  onStep: (place: number) => void;
}

const MOST = 4;

export function StepsTable({ steps, row, title, words, onStep }: Props) {
  return (
    <Section title={title}>
      <div class="table-frame tall">
        <table>
          <thead>
            <tr>
              <th>{words.step}</th>
              <th class="number">{words.prediction}</th>
              <th class="number">{words.cost}</th>
              <th class="number">{words.norm}</th>
              <th class="number">{words.rate}</th>
            </tr>
          </thead>
          <tbody>
            {steps.map((step, place) => {
              const predictions = step.of("predictions")![row]!;
              return (
                <tr key={place}>
                  <th>
                    <button type="button" class="quiet small" onClick={() => onStep(place)}>
                      {integer(place + 1)}
                    </button>
                  </th>
                  <td class="number">
                    {predictions.slice(0, MOST).map((value) => number(value, 10)).join("; ")}
                    {predictions.length > MOST && " …"}
                  </td>
                  <td class="number">{number(step.number("J"), 10)}</td>
                  <td class="number">{number(step.number("gradient_norm"), 6)}</td>
                  <td class="number">{number(step.number("learning_rate"), 6)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
