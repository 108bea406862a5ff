/** Which column to predict, which ones to learn from, and the task that follows from it. */
import { useState } from "preact/hooks";
import type { Schema } from "~/api/client";
import { Check, Field, SelectField, TextField } from "~/elements/Field";
import { Section } from "~/elements/Page";
import type { Form } from "~/forms/form";
import { isSame, shown } from "~/forms/values";
import { integer } from "~/text/format";
import { newJobText } from "~/text/new-job";
import { takenColumns } from "./request";

type Column = Schema["ColumnResource"];
interface Props {
  form: Form;
  columns: Column[];
  /** The features that the API takes where none are named. */
  usual: string[] | undefined;
}

const MANY = 12;

interface TargetProps {
  form: Form;
  columns: Column[];
  /** Names of models that have no target. */
  without: string[];
}

export function Target({ form, columns, without }: TargetProps) {
  const text = newJobText();
  const target = form.changes.target;
  const isSeveral = Array.isArray(target);
  const error = form.errorAt("/target") ?? (isSeveral ? target.map((_, place) => form.errorAt(`/target/${place}`)).find(Boolean) : undefined);
  const toggle = (
    <button type="button" class="quiet small" onClick={() => form.set(["target"], isSeveral ? (target[0] ?? "") : typeof target === "string" && target ? [target] : [])}>
      {isSeveral ? text.one : text.several}
    </button>
  );
  if (isSeveral) {
    return (
      <Section title={text.target} actions={toggle}>
        <p class="muted">{text.targets}</p>
        <ColumnChecks
          pointer="/target"
          label={text.target}
          columns={columns}
          chosen={target.map(String)}
          error={error}
          onChange={(names) => form.set(["target"], names)}
        />
      </Section>
    );
  }
  return (
    <Section title={text.target} actions={toggle}>
      <Field label={<span class="visually-hidden">{text.target}</span>} help={`${text.targetHelp} ${without.length ? text.targetless(without.join(", ")) : ""}`} error={error} pointer="/target">
        {(control) => (
          <select {...control} value={typeof target === "string" ? target : ""} onChange={(event) => (event.currentTarget.value ? form.set(["target"], event.currentTarget.value) : form.reset(["target"]))}>
            {(!target || error) && <option value="">{text.chooseTarget}</option>}
            {columns.map((column) => (
              <option key={column.name} value={column.name}>
                {`${column.name} (${described(column)})`}
              </option>
            ))}
          </select>
        )}
      </Field>
    </Section>
  );
}

export function Features({ form, columns, usual }: Props) {
  const text = newJobText();
  const given = shown(form.changes, form.completed, ["features"]);
  const taken = takenColumns(form.changes);
  const offered = columns.filter((column) => !taken.includes(column.name));
  const chosen = Array.isArray(given) ? given.map(String).filter((name) => !taken.includes(name)) : offered.filter((column) => column.kind !== "text").map((column) => column.name);
  const error = form.errorAt("/features") ?? chosen.map((_, place) => form.errorAt(`/features/${place}`)).find(Boolean);
  const change = (names: string[]) => (usual && isSame(names, usual) ? form.reset(["features"]) : form.set(["features"], names));
  return (
    <Section title={text.features}>
      <p class="muted">{text.featuresHelp}</p>
      <ColumnChecks pointer="/features" label={text.features} columns={offered} chosen={chosen} error={error} onChange={change} />
    </Section>
  );
}

interface ChecksProps {
  pointer: string;
  label: string;
  columns: Column[];
  chosen: string[];
  error?: string;
  onChange: (names: string[]) => void;
}

function ColumnChecks({ pointer, label, columns, chosen, error, onChange }: ChecksProps) {
  const text = newJobText();
  const [sought, setSought] = useState("");
  const found = columns.filter((column) => column.name.toLowerCase().includes(sought.toLowerCase()));
  const names = new Set(found.map((column) => column.name));
  const inOrder = (wanted: (name: string) => boolean) => onChange(columns.map((column) => column.name).filter(wanted));
  const isChosen = new Set(chosen);
  return (
    <div class={`field${error ? " wrong" : ""}`} data-pointer={pointer} role="group" aria-label={label}>
      <div class="row">
        {columns.length > MANY && <TextField label={<span class="visually-hidden">{text.find}</span>} placeholder={text.find} type="search" value={sought} onChange={setSought} />}
        <span class="muted small">{text.chosen(integer(chosen.length), integer(columns.length))}</span>
        <button type="button" class="quiet small" onClick={() => inOrder((name) => isChosen.has(name) || names.has(name))}>
          {text.all}
        </button>
        <button type="button" class="quiet small" onClick={() => inOrder((name) => isChosen.has(name) && !names.has(name))}>
          {text.none}
        </button>
      </div>
      <div class="column-checks">
        {found.map((column) => (
          <Check
            key={column.name}
            label={
              <>
                {column.name} <span class="muted small">{described(column)}</span>
              </>
            }
            checked={isChosen.has(column.name)}
            onChange={(checked) => inOrder((name) => (name === column.name ? checked : isChosen.has(name)))}
          />
        ))}
      </div>
      {error && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

/** A column's kind in a word, with what is worth knowing before it is chosen. */
function described(column: Column): string {
  const text = newJobText();
  const parts = [column.shape ? `${text.kinds[column.kind]} ${column.shape.join(" × ")}` : text.kinds[column.kind]];
  if (column.distinct !== null && column.distinct !== undefined && column.kind !== "numeric") parts.push(text.different(integer(column.distinct)));
  if (column.missing) parts.push(text.missing(integer(column.missing)));
  return parts.join(", ");
}

export function Task({ form, tasks }: { form: Form; tasks: string[] }) {
  const text = newJobText();
  const chosen = form.changes.task;
  const found = String(shown(form.changes, form.completed, ["task"]) ?? "");
  const named = (task: string) => (text.tasks as Record<string, string>)[task] ?? task;
  const asks = (text.taskIs as Record<string, string>)[found];
  return (
    <Section title={text.task}>
      <SelectField
        label={<span class="visually-hidden">{text.task}</span>}
        pointer="/task"
        value={typeof chosen === "string" ? chosen : ""}
        onChange={(task) => (task ? form.set(["task"], task) : form.reset(["task"]))}
        options={[{ value: "", label: found && !chosen ? `${named(found)} (${text.automatic})` : text.automatic }, ...tasks.map((task) => ({ value: task, label: named(task) }))]}
        help={asks}
        error={form.errorAt("/task")}
      />
    </Section>
  );
}
