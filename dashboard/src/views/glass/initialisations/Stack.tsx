/** One initialization: what it does, and a small histogram for each layer. */
import type { Schema } from "~/api/client";
import { Histogram } from "~/charts/Histogram";
import { Notice } from "~/elements/Notice";
import { titleOf, type Catalog } from "~/forms/catalog";
import { initialisationsText } from "~/text/glass-initialisations";
import { integer, number, percent, toNumber } from "~/text/format";
import { verdicts } from "./verdict";

export type Of = "activations" | "gradients" | "weighted_sums";

const kindOf = (given: string | { kind: string }): string => (typeof given === "string" ? given : given.kind);

interface Props {
  place: number;
  found: Schema["Initialization"];
  of: Of;
  /** Whether all layers are drawn on one axis. */
  isShared: boolean;
  catalog: Catalog | undefined;
}

export function Stack({ place, found, of, isShared, catalog }: Props) {
  const text = initialisationsText();
  const said = verdicts(found);
  const ends = found.layers.flatMap((layer) => [toNumber(layer[of].min), toNumber(layer[of].max)]);
  const range: [number, number] | undefined = isShared ? [Math.min(...ends), Math.max(...ends)] : undefined;
  const total = found.rows * found.width;
  return (
    <section class="stack-of-layers">
      <h2>
        {text.which(integer(place + 1))}: {titleOf(catalog, "initializers", kindOf(found.initializer))}, {titleOf(catalog, "activations", kindOf(found.activation))}
      </h2>
      <p class="muted small">
        {text.variance} = {found.weight_variance === null ? text.none : number(found.weight_variance, 4)}. {found.weight_variance === null && text.notIndependent}
      </p>
      {said.map((verdict) => (
        <Notice key={verdict} kind={verdict === "keeps" ? "success" : "warning"}>
          {text[verdict]}
        </Notice>
      ))}
      <ol class="layers-of-stack">
        {found.layers.map((layer, index) => {
          const spread = layer[of];
          const expected = of === "gradients" ? layer.expected_gradient_std : of === "weighted_sums" ? layer.expected_weighted_sum_std : null;
          const name = text.layerNumber(integer(index + 1));
          return (
            <li key={layer.layer}>
              <div class="layer-facts">
                <strong>{name}</strong>
                <span>
                  {text.mean} {number(spread.mean, 2)}
                </span>
                <span>
                  {text.std} {number(spread.std, 3)}
                  {expected !== null && ` (${text.expected} ${number(expected, 3)})`}
                </span>
                {of === "activations" && (
                  <span>
                    {percent(layer.zero)} {text.zero}, {percent(layer.saturated)} {text.saturated}
                    {layer.dead > 0 && `, ${percent(layer.dead)} ${text.dead}`}
                  </span>
                )}
                {spread.count < total && <span>{text.left_out(integer(total - spread.count))}</span>}
              </div>
              <Histogram label={text.histogram(text.quantities[of], name)} edges={spread.edges.map(toNumber)} counts={spread.counts} range={range} height={64} />
            </li>
          );
        })}
      </ol>
    </section>
  );
}
