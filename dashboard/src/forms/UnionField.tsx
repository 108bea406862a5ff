/** A choice among kinds, each with its summary, its formula and fields of its own. */
import { Field } from "~/elements/Field";
import { Formula } from "~/elements/Formula";
import { titleText } from "~/text/forms";
import { entryOf, nameOf, plainFirst, valueAt, type FieldProps } from "./form";
import { Beside, Described } from "./parts";
import { KIND } from "./schema";
import { SchemaFields } from "./SchemaField";
import { at, fieldsFor, isObject, kindOf, pointerOf, type Json, type JsonObject } from "./values";

export function UnionField({ form, field, path }: FieldProps) {
  const pointer = pointerOf(path);
  const title = titleText(field);
  const members = field.shape.type === "union" ? field.shape.members : [];
  const allowed = form.choicesAt?.(pointer);
  const offered = members.filter((member) => !allowed || allowed.includes(member.kind));
  const kind = kindOf(valueAt(form, path, field));
  const member = members.find((known) => known.kind === kind);
  const entry = entryOf(form.catalog, members, kind);
  const choose = (next: string) => form.set(path, carried(at(form.changes, path), field.shape, next));
  const isChanged = at(form.changes, path) !== undefined;
  return (
    <div class="union">
      <Field
        label={title}
        help={<Described text={field.description} />}
        error={form.errorAt(pointer)}
        pointer={pointer}
        beside={<Beside title={title} onReset={isChanged ? () => form.reset(path) : undefined} />}
      >
        {(control) => (
          <select {...control} value={kind ?? ""} onChange={(event) => choose(event.currentTarget.value)}>
            {kind === undefined && <option value="" />}
            {kind !== undefined && !offered.some((known) => known.kind === kind) && <option value={kind}>{nameOf(form.catalog, members, kind)}</option>}
            {offered.map((known) => (
              <option key={known.kind} value={known.kind}>
                {nameOf(form.catalog, members, known.kind)}
              </option>
            ))}
          </select>
        )}
      </Field>
      {(entry || member) && (
        <div class="entry">
          <p>{entry?.summary ?? <Described text={member!.description.split("\n")[0]!} />}</p>
          {entry?.source && <p class="source">{entry.source}</p>}
        </div>
      )}
      {entry && <Formula latex={entry.formula} isBlock />}
      {member && member.fields.length > 0 && <SchemaFields form={form} fields={plainFirst(member.fields)} path={path} />}
    </div>
  );
}

/** Another kind, with those numbers of the one before that it has, too. */
function carried(before: Json | undefined, shape: FieldProps["field"]["shape"], kind: string): Json {
  const fields = fieldsFor(shape, kind) ?? [];
  const kept: JsonObject = {};
  for (const [name, value] of Object.entries(isObject(before) ? before : {})) {
    if (fields.some((field) => field.name === name && field.shape.type === "number")) kept[name] = value;
  }
  return Object.keys(kept).length ? { [KIND]: kind, ...kept } : kind;
}
