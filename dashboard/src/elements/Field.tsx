/** Fields of forms: each with its label, its explanation and what is wrong with it. */
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";

interface Frame {
  label: ComponentChildren;
  help?: ComponentChildren;
  error?: string;
  /** Stands beside the label. */
  beside?: ComponentChildren;
  /** The place in a request that the field is for, where problems lead to. */
  pointer?: string;
}

interface FieldProps extends Frame {
  /** Draws the control; gives it `id`, and `describedBy` for aria-describedby. */
  children: (control: { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined }) => ComponentChildren;
}

export function Field({ label, help, error, beside, pointer, children }: FieldProps) {
  const id = useId();
  const described = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class={`field${error ? " wrong" : ""}`} data-pointer={pointer}>
      <div class="label-row">
        <label for={id}>{label}</label>
        {beside}
      </div>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": error ? true : undefined })}
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      {error && (
        <p class="field-error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

interface TextProps extends Frame {
  value: string;
  onChange: (value: string) => void;
  type?: "text" | "password" | "search";
  placeholder?: string;
}

export function TextField({ value, onChange, type = "text", placeholder, ...frame }: TextProps) {
  return (
    <Field {...frame}>
      {(control) => <input {...control} {...({ type } as { type: "text" })} value={value} placeholder={placeholder} onInput={(event) => onChange(event.currentTarget.value)} />}
    </Field>
  );
}

interface NumberProps extends Frame {
  value: number | null;
  /** Given null where the field is empty or holds no number. */
  onChange: (value: number | null) => void;
  min?: number;
  max?: number;
  step?: number | "any";
  placeholder?: string;
}

export function NumberField({ value, onChange, min, max, step = "any", placeholder, ...frame }: NumberProps) {
  // What is being typed stays as it is typed: 0.0 is on the way to 0.001.
  const [draft, setDraft] = useState<string | null>(null);
  const changed = (text: string) => {
    setDraft(text);
    onChange(text.trim() === "" || Number.isNaN(Number(text)) ? null : Number(text));
  };
  return (
    <Field {...frame}>
      {(control) => (
        <input {...control} type="number" inputMode="decimal" min={min} max={max} step={step} placeholder={placeholder} value={draft ?? value ?? ""} onInput={(event) => changed(event.currentTarget.value)} onBlur={() => setDraft(null)} />
      )}
    </Field>
  );
}

interface SelectProps extends Frame {
  value: string;
  onChange: (value: string) => void;
  options: { value: string; label: string }[];
}

export function SelectField({ value, onChange, options, ...frame }: SelectProps) {
  return (
    <Field {...frame}>
      {(control) => (
        <select {...control} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface CheckProps {
  label: ComponentChildren;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
}

export function Check({ label, checked, onChange, disabled }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  onChange: (value: T) => void;
  options: { value: T; label: string }[];
}

/** A few choices side by side, of which one holds. */
export function Choice<T extends string>({ label, value, onChange, options }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
