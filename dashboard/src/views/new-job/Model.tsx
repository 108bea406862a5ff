/** The model: one card for each kind that the catalog has, then the fields of the one that was chosen. */
import { Formula } from "~/elements/Formula";
import { Section } from "~/elements/Page";
import type { Choices } from "~/forms/choices";
import { entryOf, nameOf, type Form } from "~/forms/form";
import type { FieldShape } from "~/forms/schema";
import { SchemaFields } from "~/forms/SchemaField";
import { kindOf } from "~/forms/values";
import { newJobText } from "~/text/new-job";
import type { Reason } from "./suggest";

interface Props {
  form: Form;
  field: FieldShape;
  kind: string;
  choices: Choices[];
  task: string | undefined;
  suggestion: { model: string; reason: Reason };
  /** Whether it is known what the model is to learn; before that, a model can be chosen and not set. */
  isPosed: boolean;
}

export function Model({ form, field, kind, choices, task, suggestion, isPosed }: Props) {
  const text = newJobText();
  const members = field.shape.type === "union" ? field.shape.members : [];
  const tasksOf = (model: string) => [...new Set(choices.filter((choice) => choice.model === model).map((choice) => choice.task))];
  const isSuggested = (model: string) => isPosed && model === suggestion.model && suits(model);
  const suits = (model: string) => task === undefined || tasksOf(model).includes(task);
  const member = members.find((known) => known.kind === kind);
  const error = form.errorAt("/model");
  return (
    <Section title={text.model}>
      <fieldset class="models" data-pointer="/model">
        <legend class="visually-hidden">{text.model}</legend>
        {[...members].sort((one, other) => Number(suits(other.kind)) - Number(suits(one.kind))).map(({ kind: model }) => {
          const entry = entryOf(form.catalog, members, model);
          return (
            <label key={model} class={`card model${suits(model) ? "" : " other"}`}>
              <span class="row">
                <input type="radio" name="model" checked={model === kind} onChange={() => form.set(["model"], kindOf(form.changes.model) === model ? form.changes.model! : model)} />
                <strong>{nameOf(form.catalog, members, model)}</strong>
                {isSuggested(model) && <span class="state">{text.suggested}</span>}
              </span>
              <span class="small muted">
                {entry?.summary} {isSuggested(model) ? text.reasons[suggestion.reason] : ""}
                {!suits(model) && ` (${text.does(tasksOf(model).map((known) => (text.tasks as Record<string, string>)[known]?.toLowerCase() ?? known).join(", "))})`}
              </span>
              {model === kind && entry && <Formula latex={entry.formula} isBlock />}
            </label>
          );
        })}
      </fieldset>
      {error && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
      {member && isPosed && <SchemaFields form={form} fields={member.fields} path={["model"]} />}
    </Section>
  );
}
