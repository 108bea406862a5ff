/** Chooses one of a family of the catalog, with its own numbers. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { SelectField } from "~/elements/Field";
import { NumberCell } from "~/elements/NumberCell";
import { entryOf, numbersOf, type Catalog, type Kind } from "./catalog";
import "./forms.css";

interface Props {
  label: ComponentChildren;
  catalog: Catalog;
  family: string;
  value: Kind;
  onChange: (value: Kind) => void;
  /** Kinds that are not on offer here. */
  without?: string[];
}

export function KindField({ label, catalog, family, value, onChange, without = [] }: Props) {
  const id = useId();
  const entry = entryOf(catalog, family, value.kind);
  const options = (catalog[family] ?? []).filter(({ kind }) => !without.includes(kind)).map(({ kind, title }) => ({ value: kind, label: title }));
  /** A rate that was chosen stays from optimizer to optimizer. */
  const chosen = (kind: string) => onChange(typeof value.learning_rate === "number" ? { kind, learning_rate: value.learning_rate } : { kind });
  return (
    <div class="kind">
      <SelectField label={label} value={value.kind} onChange={chosen} options={options} help={entry?.summary} />
      <div class="kind-numbers">
        {numbersOf(entry).map(({ name, description, usual, title }) => (
          <div class="kind-number" key={name}>
            <label for={`${id}-${name}`} title={description}>
              {title}
            </label>
            <NumberCell id={`${id}-${name}`} label={description} value={Number(value[name] ?? usual ?? 0)} onChange={(next) => onChange({ ...value, [name]: next })} />
          </div>
        ))}
      </div>
    </div>
  );
}
