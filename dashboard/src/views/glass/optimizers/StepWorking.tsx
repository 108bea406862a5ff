/** How a step came about: every line of the optimizer's formula with the numbers put in. */
import type { Schema } from "~/api/client";
import { Formula } from "~/elements/Formula";
import { entryOf, type Catalog, type Kind } from "~/forms/catalog";
import { optimizersText } from "~/text/glass-optimizers";
import { integer, toNumber } from "~/text/format";
import { optimizerWork } from "../algebra/catalog";
import { clauses } from "../algebra/parse";
import { write } from "../algebra/write";
import { numbersBySymbol } from "../symbols";
import { lowered } from "../network/names";

interface Props {
  path: Schema["DescentPath"];
  at: number;
  catalog: Catalog;
  parameters: number[];
}

const CLOSE = 1e-9;

export function StepWorking({ path, at, catalog, parameters }: Props) {
  const text = optimizersText();
  const optimizer = path.optimizer as unknown as Kind;
  const entry = entryOf(catalog, "optimizers", optimizer.kind);
  if (!entry) return null;
  return (
    <section class="card working" aria-live="polite">
      <h2>{text.working(integer(at))}</h2>
      {entry.formula.split(/,\s*\\quad/).map((clause) => (
        <Formula key={clause} latex={clause} isBlock />
      ))}
      {at === 0 ? <p>{text.begin}</p> : parameters.map((axis) => <Parameter key={axis} {...{ path, at, axis }} formula={entry.formula} own={numbersBySymbol(entry, optimizer)} hasTitle={parameters.length > 1} />)}
    </section>
  );
}

interface ParameterProps {
  path: Schema["DescentPath"];
  at: number;
  axis: number;
  formula: string;
  own: Record<string, number>;
  hasTitle: boolean;
}

function Parameter({ path, at, axis, formula, own, hasTitle }: ParameterProps) {
  const text = optimizersText();
  const state = Object.values(path.states).map((vectors) => toNumber(vectors[at - 1]![axis]));
  const lines = optimizerWork({ formula }, { theta: path.points[at - 1]![axis]!, gradient: path.gradients[at - 1]![axis]!, rate: path.learning_rates[at - 1]!, step: at, state }, own);
  const value = path.points[at]![axis]!;
  const agrees = lines !== null && Math.abs(lines[lines.length - 1]!.value - value) <= CLOSE * Math.max(1, Math.abs(value));
  const isAssigned = new Map(clauses(formula).map((clause) => [clause.left, clause.isAssignment]));
  return (
    <>
      {hasTitle && <h3>{text.ofParameter(lowered(axis + 1))}</h3>}
      {agrees && lines ? (
        lines.map((line, place) => (
          <Formula key={place} isBlock latex={`${line.left.replace("\\theta", `w_${axis + 1}`)} ${isAssigned.get(line.left) ? "\\leftarrow" : "="} ${line.numbers} = ${write(line.value, 8)}`} />
        ))
      ) : (
        <p class="muted">{text.unknown}</p>
      )}
    </>
  );
}
