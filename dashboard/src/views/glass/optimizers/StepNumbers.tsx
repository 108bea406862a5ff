/** The numbers of every step: point, cost, gradient, what the optimizer remembers, rate. */
import type { Schema } from "~/api/client";
import { save, toCsv } from "~/charts/files";
import { Section } from "~/elements/Page";
import { entryOf, type Catalog, type Kind } from "~/forms/catalog";
import { appText } from "~/text/app";
import { glassText } from "~/text/glass";
import { optimizersText } from "~/text/glass-optimizers";
import { integer, number, toNumber } from "~/text/format";
import { slotSymbols } from "../algebra/catalog";
import { lowered } from "../network/names";

interface Props {
  path: Schema["DescentPath"];
  at: number;
  catalog: Catalog;
  parameters: number[];
  onStep: (step: number) => void;
}

export function StepNumbers({ path, at, catalog, parameters, onStep }: Props) {
  const text = optimizersText();
  const entry = entryOf(catalog, "optimizers", (path.optimizer as unknown as Kind).kind);
  const symbols = entry ? slotSymbols(entry) : [];
  const columns = [
    ...parameters.map((axis) => ({ name: text.point(lowered(axis + 1)), of: (step: number) => path.points[step]![axis]! })),
    { name: glassText().cost, of: (step: number) => path.costs[step]! },
    ...parameters.map((axis) => ({ name: text.gradient(lowered(axis + 1)), of: (step: number) => path.gradients[step]![axis]! })),
    ...Object.entries(path.states).flatMap(([name, vectors], slot) => parameters.map((axis) => ({ name: `${symbols[slot] ?? ""}${lowered(axis + 1)} ${name}`, of: (step: number) => toNumber(vectors[step]![axis]) }))),
    { name: text.rate, of: (step: number) => (step === 0 ? null : path.learning_rates[step - 1]!) },
  ];
  const keep = () => save("optimizer.csv", new Blob([toCsv({ columns: ["step", ...columns.map(({ name }) => name)], rows: path.points.map((_, step) => [step, ...columns.map(({ of }) => of(step))]) })], { type: "text/csv" }));
  return (
    <Section
      title={text.numbers}
      actions={
        <button type="button" class="quiet small" onClick={keep} aria-label={appText().saveCsvLong(text.numbers)}>
          {appText().saveCsv}
        </button>
      }
    >
      <div class="table-frame tall">
        <table>
          <thead>
            <tr>
              <th>{text.step}</th>
              {columns.map(({ name }) => (
                <th class="number" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {path.points.map((_, step) => (
              <tr key={step} class={step === at ? "current" : undefined} aria-current={step === at ? "step" : undefined}>
                <th>
                  <button type="button" class="quiet small" aria-label={text.choose(integer(step))} onClick={() => onStep(step)}>
                    {integer(step)}
                  </button>
                </th>
                {columns.map(({ name, of }) => (
                  <td class="number" key={name}>
                    {number(of(step), 6)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
