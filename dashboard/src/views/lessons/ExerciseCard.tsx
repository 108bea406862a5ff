/** An exercise: a question, fields for the answer, and what the page says of it by the service's numbers. */
import { useId, useState } from "preact/hooks";
import { Field } from "~/elements/Field";
import { ProblemNotice } from "~/elements/Notice";
import { typed } from "~/elements/NumberCell";
import { useAction } from "~/state/resource";
import { number } from "~/text/format";
import { language } from "~/text/language";
import { lessonsText } from "~/text/lessons";
import { Calls } from "./calls";
import type { Answer, Field as Asked, Lesson, Numbers, Verdict, Words } from "./lesson";
import { remember } from "./solved";
import { Text } from "./Text";
import { useWaited, Waiting } from "./Waiting";

interface Props {
  lesson: Lesson;
  seed: number;
  data: unknown;
  numbers: Numbers;
}

interface Checked {
  answer: Answer;
  tried: unknown;
  verdict: Verdict;
}

const written = (value: number): string => (language.value === "en" ? String(value) : String(value).replace(".", ","));

export function ExerciseCard({ lesson, seed, data, numbers }: Props) {
  const text = lessonsText();
  const words = lesson.words[language.value];
  const { exercise } = lesson;
  const fields = exercise.fields(data);
  const [given, setGiven] = useState<Record<string, string>>(() => Object.fromEntries(fields.map((field) => [field.name, "start" in field ? written(field.start) : ""])));
  const [isTried, setTried] = useState(false);
  const [checked, setChecked] = useState<Checked | null>(null);
  const [waited, tell] = useWaited(seed);
  const problems = Object.fromEntries(fields.map((field) => [field.name, wrongIn(field, given[field.name] ?? "")]));
  const check = useAction(async () => {
    const answer: Answer = Object.fromEntries(fields.map((field) => [field.name, "start" in field ? typed(given[field.name]!)! : given[field.name]!]));
    const tried = await exercise.attempt?.(answer, data, new Calls(seed, new AbortController().signal, tell));
    const verdict = exercise.judge(answer, data, tried);
    if (verdict.isRight) remember(lesson.name, seed);
    setChecked({ answer, tried, verdict });
  });
  const change = (name: string, value: string) => {
    setGiven({ ...given, [name]: value });
    setChecked(null);
  };
  return (
    <section class="card exercise">
      <h2>{text.exercise}</h2>
      {words.exercise.ask.map((paragraph, at) => (
        <p key={at}>
          <Text text={paragraph} numbers={numbers} />
        </p>
      ))}
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (!check.isBusy && Object.values(problems).every((problem) => !problem)) void check.run();
        }}
      >
        {fields.map((field) => (
          <Given key={field.name} field={field} words={words.exercise} value={given[field.name] ?? ""} error={isTried ? problems[field.name] : undefined} onChange={(value) => change(field.name, value)} />
        ))}
        <button type="submit" class="primary" aria-disabled={check.isBusy} aria-busy={check.isBusy}>
          {text.check}
        </button>
      </form>
      {check.isBusy && <Waiting jobs={waited} />}
      <ProblemNotice problem={check.problem} />
      <div class="verdict" role="status">
        {checked && <Said verdict={checked.verdict} words={words.exercise} numbers={{ ...numbers, ...checked.verdict.numbers }} />}
      </div>
      {checked && exercise.Outcome && <exercise.Outcome data={data} words={words.picture} numbers={{ ...numbers, ...checked.verdict.numbers }} answer={checked.answer} tried={checked.tried} />}
      <details>
        <summary>{text.hint}</summary>
        <p>
          <Text text={words.exercise.hint} numbers={numbers} />
        </p>
      </details>
    </section>
  );
}

/** What is wrong with what was typed or chosen, before it is an answer. */
function wrongIn(field: Asked, given: string): string | undefined {
  const text = lessonsText();
  if (!("start" in field)) return given === "" ? text.choice : undefined;
  const value = typed(given);
  if (value === null) return text.number;
  const { least = -Infinity, most = Infinity } = field;
  return value < least || value > most ? text.range(number(least), number(most)) : undefined;
}

function Said({ verdict, words, numbers }: { verdict: Verdict; words: Words["exercise"]; numbers: Numbers }) {
  const text = lessonsText();
  const says = verdict.isRight ? words.right : words.wrong[verdict.why ?? "other"];
  return (
    <div class={`notice ${verdict.isRight ? "success" : "warning"}`}>
      <div class="notice-text">
        <strong>{verdict.isRight ? text.right : text.wrong}</strong> {says && <Text text={says} numbers={numbers} />}
      </div>
    </div>
  );
}

interface GivenProps {
  field: Asked;
  words: Words["exercise"];
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
}

function Given({ field, words, value, error, onChange }: GivenProps) {
  const name = useId();
  const label = words.fields[field.name] ?? field.name;
  if ("start" in field)
    return (
      <Field label={label} error={error}>
        {(control) => <input {...control} class="short" type="text" inputMode="decimal" autoComplete="off" value={value} onInput={(event) => onChange(event.currentTarget.value)} />}
      </Field>
    );
  return (
    <fieldset class="options" aria-describedby={error ? `${name}-error` : undefined}>
      <legend>{label}</legend>
      {field.options.map((option) => (
        <label key={option} class="check">
          <input type="radio" name={name} value={option} checked={value === option} onChange={() => onChange(option)} />
          <span>{words.options?.[option] ?? option}</span>
        </label>
      ))}
      {error && (
        <p class="field-error" id={`${name}-error`} role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}
