/** The settings of each descent: its optimizer, the rows of a step, and how the feature is scaled. */
import { seriesLook } from "~/charts/colours";
import { NumberField, SelectField } from "~/elements/Field";
import { titleOf, type Catalog } from "~/forms/catalog";
import { KindField } from "~/forms/KindField";
import { descentsText } from "~/text/descents";
import { glassText } from "~/text/glass";
import { MOST_DESCENTS, type Descent } from "./asked";

interface Props {
  catalog: Catalog;
  descents: Descent[];
  names: string[];
  onChange: (descents: Descent[]) => void;
}

const USUAL_BATCH = 8;

export function Settings({ catalog, descents, names, onChange }: Props) {
  const text = descentsText();
  const set = (place: number, changes: Partial<Descent>) => onChange(descents.map((old, index) => (index === place ? { ...old, ...changes } : old)));
  return (
    <>
      <div class="columns">
        {descents.map((descent, place) => (
          <Card key={place} {...{ catalog, descent, place }} name={names[place] ?? ""} onChange={(changes) => set(place, changes)} onRemove={descents.length > 1 ? () => onChange(descents.filter((_, index) => index !== place)) : undefined} />
        ))}
      </div>
      {descents.length < MOST_DESCENTS && (
        <button type="button" onClick={() => onChange([...descents, descents[descents.length - 1]!])}>
          {text.add}
        </button>
      )}
    </>
  );
}

interface CardProps {
  catalog: Catalog;
  descent: Descent;
  place: number;
  name: string;
  onChange: (changes: Partial<Descent>) => void;
  onRemove?: () => void;
}

function Card({ catalog, descent, place, name, onChange, onRemove }: CardProps) {
  const text = descentsText();
  const words = glassText();
  const { optimizer, batch_size, scaling } = descent;
  const way = batch_size === "full" ? "full" : batch_size === 1 ? "one" : "some";
  const label = (
    <>
      <svg width="16" height="10" aria-hidden="true">
        <circle cx="5" cy="5" r="5" fill={seriesLook(place).colour} />
      </svg>
      {words.optimizer} {place + 1}
    </>
  );
  return (
    <div class="card">
      <KindField label={label} catalog={catalog} family="optimizers" value={optimizer} onChange={(next) => onChange({ optimizer: next })} />
      <SelectField
        label={text.rows}
        value={way}
        onChange={(next) => onChange({ batch_size: next === "full" ? "full" : next === "one" ? 1 : USUAL_BATCH })}
        options={(["full", "some", "one"] as const).map((value) => ({ value, label: text.ways[value] }))}
      />
      {way === "some" && <NumberField label={text.size} value={Number(batch_size)} min={2} step={1} onChange={(value) => value !== null && value >= 2 && onChange({ batch_size: Math.trunc(value) })} />}
      <SelectField label={text.scaling} value={scaling} onChange={(next) => onChange({ scaling: next })} options={(catalog.scalers ?? []).map(({ kind }) => ({ value: kind, label: titleOf(catalog, "scalers", kind) }))} />
      {onRemove && (
        <button type="button" class="small" aria-label={words.removeNamed(name)} onClick={onRemove}>
          {words.remove}
        </button>
      )}
    </div>
  );
}
