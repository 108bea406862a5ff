/** A field of a request, drawn as its schema says. */
import { useState } from "preact/hooks";
import { Check, Field } from "~/elements/Field";
import { formsText, titleText } from "~/text/forms";
import { valueAt, visible, type FieldProps, type Form } from "./form";
import { ListField } from "./ListField";
import { Beside, Described } from "./parts";
import { humanised, type Bounds, type FieldShape, type Shape } from "./schema";
import { UnionField } from "./UnionField";
import { at, isObject, pointerOf, shownNumbers, typed, typedNumbers, type Json, type Path } from "./values";
import "./forms.css";

export function SchemaField({ form, field, path }: FieldProps) {
  const { shape } = field;
  if (shape.type === "union") return <UnionField form={form} field={field} path={path} />;
  if (shape.type === "list" && (shape.item.shape.type === "object" || shape.item.shape.type === "union")) return <ListField form={form} field={field} path={path} />;
  if (shape.type === "object") return <ObjectField form={form} field={field} path={path} />;
  return <PlainField form={form} field={field} path={path} />;
}

/** Fields side by side; those that hold others take a line of their own. */
export function SchemaFields({ form, fields, path }: { form: Form; fields: FieldShape[]; path: Path }) {
  return (
    <div class="fields">
      {visible(form, fields, path).map((field) => (
        <SchemaField key={field.name} form={form} field={field} path={[...path, field.name]} />
      ))}
    </div>
  );
}

function ObjectField({ form, field, path }: FieldProps) {
  const pointer = pointerOf(path);
  const title = titleText(field);
  const error = form.errorAt(pointer);
  const fields = field.shape.type === "object" ? field.shape.fields : [];
  const isOptional = form.isOptional(pointer);
  const isUsed = !isOptional || isObject(valueAt(form, path, field));
  return (
    <fieldset class={`group${error ? " wrong" : ""}`} data-pointer={pointer}>
      <legend>{title}</legend>
      <p class="help">
        <Described text={field.description} />
      </p>
      {isOptional && <Check label={formsText().use(title)} checked={isUsed} onChange={(use) => (use ? form.set(path, {}) : (form.omit ?? form.reset)(path))} />}
      {error && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
      {isUsed && <SchemaFields form={form} fields={fields} path={path} />}
    </fieldset>
  );
}

function PlainField({ form, field, path }: FieldProps) {
  const text = formsText();
  const pointer = pointerOf(path);
  const value = valueAt(form, path, field);
  const title = titleText(field);
  // What an entry of a list cannot do without has no default to go back to.
  const isChanged = at(form.changes, path) !== undefined && !(field.default === undefined && path.some((step) => typeof step === "number"));
  const put = (next: Json | undefined) => (next === undefined ? form.reset(path) : form.set(path, next));
  const { shape } = field;
  const frame = {
    label: title,
    help: field.description ? <Described text={field.description} /> : undefined,
    error: form.errorAt(pointer),
    pointer,
    beside: <Beside bounds={boundsOf(shape)} title={title} onReset={isChanged ? () => form.reset(path) : undefined} />,
  };
  if (shape.type === "boolean" && !field.isNullable) {
    return (
      <Field {...frame}>
        {(control) => (
          <label class="check">
            <input {...control} type="checkbox" checked={value === true} onChange={(event) => form.set(path, event.currentTarget.checked)} />
            <span>{value === true ? text.yes : text.no}</span>
          </label>
        )}
      </Field>
    );
  }
  if (shape.type === "boolean") {
    const options = [
      { value: "true", label: text.yes },
      { value: "false", label: text.no },
    ];
    return <Field {...frame}>{(control) => <Select {...control} value={value} options={options} put={(next) => put(next === undefined ? undefined : next === "true")} />}</Field>;
  }
  if (shape.type === "enum") {
    const allowed = form.choicesAt?.(pointer) ?? shape.options;
    const options = allowed.map((option) => ({ value: option, label: humanised(option).toLowerCase() }));
    return <Field {...frame}>{(control) => <Select {...control} value={value} options={options} put={put} />}</Field>;
  }
  if (shape.type === "text" && form.choicesAt?.(pointer)) {
    const options = form.choicesAt(pointer)!.map((option) => ({ value: option, label: option }));
    return <Field {...frame}>{(control) => <Select {...control} value={value} options={options} put={put} />}</Field>;
  }
  if (shape.type === "either") {
    const isWord = typeof value === "string" && shape.words.includes(value);
    const other = shape.other.type === "number" ? text.another : text.weights;
    const options = [...shape.words.map((word) => ({ value: word, label: humanised(word).toLowerCase() })), { value: "", label: other }];
    const chosen = isWord ? value : value === undefined || value === null ? null : "";
    const choose = (next: string | undefined) => put(next === "" ? (shape.other.type === "number" ? FIRST_NUMBER : {}) : next);
    return (
      <Field {...frame}>
        {(control) => (
          <div class="either">
            <Select {...control} value={chosen} options={options} put={choose} />
            {!isWord && chosen !== null && <Written shape={shape.other} label={title} value={value} put={put} names={form.choicesAt?.(pointer)} />}
          </div>
        )}
      </Field>
    );
  }
  return <Field {...frame}>{(control) => <Written control={control} shape={shape} label={title} value={value} put={put} names={form.choicesAt?.(pointer)} />}</Field>;
}

const FIRST_NUMBER = 16;

interface SelectProps {
  value: Json | undefined;
  options: { value: string; label: string }[];
  put: (value: string | undefined) => void;
}

/** A choice that can also be left to the default, where nothing is chosen yet. */
function Select({ value, options, put, ...control }: SelectProps) {
  const chosen = value === undefined || value === null ? null : String(value);
  const isKnown = options.some((option) => option.value === chosen);
  return (
    <select {...control} value={chosen ?? " "} onChange={(event) => put(event.currentTarget.value === " " ? undefined : event.currentTarget.value)}>
      {chosen === null && <option value=" ">{formsText().usual}</option>}
      {chosen !== null && !isKnown && <option value={chosen}>{chosen}</option>}
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}

interface WrittenProps {
  shape: Shape;
  label: string;
  value: Json | undefined;
  put: (value: Json | undefined) => void;
  names?: string[];
  control?: { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined };
}

/** What is typed: a number, text, names, or JSON. It stays as it is typed until the field is left. */
function Written({ shape, label, value, put, names, control }: WrittenProps) {
  const [draft, setDraft] = useState<string | null>(null);
  if (shape.type === "map" && names) {
    const weights = isObject(value) ? value : {};
    return (
      <div class="map">
        {names.map((name) => {
          const change = (next: Json | undefined) => put(Object.fromEntries(Object.entries({ ...weights, [name]: next }).filter(([, weight]) => weight !== undefined)) as Json);
          return (
            <label key={name}>
              <span>{name}</span>
              <Written shape={{ type: "number", ...shape.value }} label={`${label}: ${name}`} value={weights[name]} put={change} />
            </label>
          );
        })}
      </div>
    );
  }
  const write = (shape.type === "numbers" && !shape.hasOne ? writers.several : writers[shape.type]) ?? writers.json!;
  const usual = value === undefined || value === null ? "" : write.show(value);
  const given = {
    ...(control ?? { "aria-label": label }),
    value: draft ?? usual,
    onBlur: () => setDraft(null),
    onInput: (event: { currentTarget: { value: string } }) => {
      setDraft(event.currentTarget.value);
      put(write.read(event.currentTarget.value));
    },
  };
  if (shape.type === "number") return <input {...given} type="text" inputMode="decimal" autocomplete="off" placeholder={formsText().usual} />;
  if (shape.type === "text" || shape.type === "list" || shape.type === "numbers") return <input {...given} type="text" autocomplete="off" />;
  return <textarea {...given} rows={3} spellcheck={false} />;
}

const writers: Record<string, { show: (value: Json) => string; read: (text: string) => Json | undefined }> = {
  number: { show: String, read: typed },
  numbers: { show: shownNumbers, read: (text) => typedNumbers(text, true) },
  several: { show: shownNumbers, read: (text) => typedNumbers(text, false) },
  text: { show: String, read: (text) => text || undefined },
  list: {
    show: (value) => (Array.isArray(value) ? value.join(", ") : String(value)),
    read: (text) => {
      const words = text.split(",").map((word) => word.trim()).filter(Boolean);
      return words.length ? words : undefined;
    },
  },
  json: {
    show: (value) => (typeof value === "string" ? value : JSON.stringify(value)),
    read: (text) => {
      if (text.trim() === "") return undefined;
      try {
        return JSON.parse(text) as Json;
      } catch {
        return text; // the API says what is wrong with it
      }
    },
  },
};

function boundsOf(shape: Shape): Bounds | undefined {
  if (shape.type === "number") return shape;
  return shape.type === "either" && shape.other.type === "number" ? shape.other : undefined;
}
