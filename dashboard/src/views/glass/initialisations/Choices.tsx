/** Which initializers are compared, each with an activation. */
import type { Catalog, Kind } from "~/forms/catalog";
import { KindField } from "~/forms/KindField";
import { glassText } from "~/text/glass";
import { initialisationsText } from "~/text/glass-initialisations";
import { integer } from "~/text/format";

export interface Stacked {
  initializer: Kind;
  activation: Kind;
}

const MOST = 4;
const WITHOUT = ["softmax"];

interface Props {
  catalog: Catalog;
  stacks: Stacked[];
  onChange: (stacks: Stacked[]) => void;
}

export function Choices({ catalog, stacks, onChange }: Props) {
  const text = initialisationsText();
  const words = glassText();
  const changed = (place: number, change: Partial<Stacked>) => onChange(stacks.map((stack, at) => (at === place ? { ...stack, ...change } : stack)));
  return (
    <>
      <div class="columns narrow-columns">
        {stacks.map(({ initializer, activation }, place) => (
          <div class="card" key={place}>
            <h2>{text.which(integer(place + 1))}</h2>
            <KindField label={words.initializer} catalog={catalog} family="initializers" value={initializer} onChange={(next) => changed(place, { initializer: next })} />
            <KindField label={words.activation} catalog={catalog} family="activations" without={WITHOUT} value={activation} onChange={(next) => changed(place, { activation: next })} />
            {stacks.length > 1 && (
              <button type="button" class="small" aria-label={words.removeNamed(text.which(integer(place + 1)))} onClick={() => onChange(stacks.filter((_, at) => at !== place))}>
                {words.remove}
              </button>
            )}
          </div>
        ))}
      </div>
      {stacks.length < MOST && (
        <p>
          <button type="button" onClick={() => onChange([...stacks, { initializer: { kind: "he_normal" }, activation: { kind: "relu" } }])}>
            {text.add}
          </button>
        </p>
      )}
    </>
  );
}
