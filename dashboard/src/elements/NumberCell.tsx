/** Small fields for numbers: what is typed counts as soon as it is a number; until then the one before holds. */
import { useState } from "preact/hooks";
import { glassText } from "~/text/glass";
import { language } from "~/text/language";

interface Props {
  label: string;
  value: number;
  onChange: (value: number) => void;
  id?: string;
  autoFocus?: boolean;
}

/** A number as people type it, with a point or a comma; null where it is none. */
export function typed(text: string): number | null {
  const plain = text.trim().replace("−", "-").replace(",", ".");
  const value = Number(plain);
  return plain === "" || !Number.isFinite(value) ? null : value;
}

const shown = (value: number): string => (language.value === "en" ? String(value) : String(value).replace(".", ","));

export function NumberCell({ label, value, onChange, id }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const isWrong = draft !== null && typed(draft) === null;
  const changed = (text: string) => {
    setDraft(text);
    const found = typed(text);
    if (found !== null && found !== value) onChange(found);
  };
  return (
    <input
      id={id}
      class={`cell${isWrong ? " wrong" : ""}`}
      type="text"
      inputMode="decimal"
      autoComplete="off"
      aria-label={id ? undefined : label}
      aria-invalid={isWrong}
      title={isWrong ? glassText().number : label}
      value={draft ?? shown(value)}
      onInput={(event) => changed(event.currentTarget.value)}
      onBlur={() => setDraft(null)}
    />
  );
}

interface MatrixProps {
  label: string;
  values: number[][];
  onChange: (values: number[][]) => void;
  /** Says one cell in words. */
  cellLabel: (row: number, column: number) => string;
}

export function MatrixField({ label, values, onChange, cellLabel }: MatrixProps) {
  const changed = (row: number, column: number, value: number) => onChange(values.map((cells, r) => (r === row ? cells.map((cell, c) => (c === column ? value : cell)) : cells)));
  return (
    <fieldset class="matrix">
      <legend>{label}</legend>
      <div class="matrix-cells" style={{ gridTemplateColumns: `repeat(${values[0]!.length}, minmax(64px, 92px))` }}>
        {values.flatMap((cells, row) => cells.map((value, column) => <NumberCell key={`${row} ${column}`} label={cellLabel(row, column)} value={value} onChange={(next) => changed(row, column, next)} />))}
      </div>
    </fieldset>
  );
}
