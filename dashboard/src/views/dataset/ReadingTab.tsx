/** How the file was read, what can be corrected, and beside it what would come of that. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import type { Problem } from "~/api/problem";
import { Field, NumberField, SelectField, TextField } from "~/elements/Field";
import { Notice, ProblemNotice } from "~/elements/Notice";
import { Section } from "~/elements/Page";
import { tell } from "~/elements/Toasts";
import { useAction, useResource } from "~/state/resource";
import { datasetText } from "~/text/dataset";
import { integer } from "~/text/format";
import type { TabProps } from "./index";
import { changesOf, CHOICES, COUNTS, fieldsOf, type FieldName, foundFor, givenIn, ONLY_EMPTY, type Source } from "./reading";

/** A file up to that size is read again whenever a field changes; a larger one when the reader asks. */
const LIVE_BYTES = 8_000_000;
const TYPING_MILLISECONDS = 400;
const KINDS = ["numeric", "integer", "boolean", "categorical", "text"] as const;
const SHOWN_COLUMNS = 30;

export function ReadingTab({ dataset, onChange }: TabProps) {
  const text = datasetText();
  const source = dataset.source as Source;
  const fields = fieldsOf(source);
  const [form, setForm] = useState(() => givenIn(source));
  const [kinds, setKinds] = useState<Record<string, string>>({});
  useEffect(() => {
    setForm(givenIn(source));
    setKinds({});
  }, [dataset]);
  const correction = useMemo(() => {
    const read = changesOf(source, form);
    const columns = Object.entries(kinds).map(([name, kind]) => ({ name, kind }));
    return JSON.stringify({ ...(columns.length ? { columns } : {}), ...(Object.keys(read).length ? { read } : {}) });
  }, [source, form, kinds]);
  const isChanged = correction !== "{}";
  const isLive = dataset.bytes <= LIVE_BYTES;
  const [asked, setAsked] = useState("{}");
  useEffect(() => {
    if (!isLive && isChanged) return;
    const timer = setTimeout(() => setAsked(correction), TYPING_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [correction, isLive, isChanged]);
  const given = { params: { path: { dataset_id: dataset.id } } };
  const preview = useResource(`preview ${dataset.id} ${JSON.stringify(source.given)} ${dataset.columns.map((column) => column.kind).join()} ${asked}`, (signal) =>
    body(api.POST("/v1/datasets/{dataset_id}/preview", { ...given, body: JSON.parse(asked) as object, signal })),
  );
  const [last, setLast] = useState<Schema["DatasetPreview"]>();
  useEffect(() => {
    if (preview.value) setLast(preview.value);
  }, [preview.value]);
  const apply = useAction(async () => {
    onChange(await body(api.PATCH("/v1/datasets/{dataset_id}", { ...given, body: JSON.parse(correction) as object })));
    tell(text.applied);
  });
  const problem = apply.problem ?? preview.problem;
  const set = (name: FieldName) => (value: string) => {
    apply.forget();
    setForm({ ...form, [name]: value });
  };
  if (source.kind !== "upload") return <Notice>{text.ofSample}</Notice>;
  return (
    <div class="reading-form">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void apply.run();
        }}
      >
        <p class="muted">{text.readHelp}</p>
        <dl class="facts">
          <dt>{text.format}</dt>
          <dd>{source.format ?? source.files?.map((file) => file.format).join(" + ")}</dd>
        </dl>
        {fields.map((name) => (
          <Setting key={name} name={name} value={form[name] ?? ""} found={foundFor(source, name)} error={problem?.at(`/read/${name}`)} onChange={set(name)} />
        ))}
        <div class="actions">
          <button type="submit" class="primary" disabled={!isChanged || apply.isBusy}>
            {text.apply}
          </button>
          {isChanged && (
            <button
              type="button"
              class="quiet"
              onClick={() => {
                setForm(givenIn(source));
                setKinds({});
                apply.forget();
              }}
            >
              {text.reset}
            </button>
          )}
          {!isLive && isChanged && asked !== correction && (
            <button type="button" onClick={() => setAsked(correction)}>
              {text.previewNow}
            </button>
          )}
        </div>
      </form>
      <Section class="preview" title={text.preview}>
        <p class="muted small" role="status">
          {preview.isLoading ? text.previewing : last && text.previewRows(integer(last.rows), integer(last.column_count))}
        </p>
        <Elsewhere problem={problem} fields={fields} />
        {last && <Preview preview={last} kinds={kinds} onKind={(name, kind) => setKinds({ ...kinds, [name]: kind })} />}
      </Section>
    </div>
  );
}

/** A problem, unless it stands at one of the fields. */
function Elsewhere({ problem, fields }: { problem: Problem | undefined; fields: FieldName[] }) {
  if (problem && fields.some((name) => problem.at(`/read/${name}`))) return null;
  return <ProblemNotice problem={problem} />;
}

interface SettingProps {
  name: FieldName;
  value: string;
  found: string | undefined;
  error: string | undefined;
  onChange: (value: string) => void;
}

function Setting({ name, value, found, error, onChange }: SettingProps) {
  const text = datasetText();
  const said = (raw: string) => text.values[raw] ?? raw;
  const automatic = found === undefined ? text.foundOut : text.found(said(found));
  const label = text.fields[name];
  const choices = CHOICES[name];
  if (choices) {
    const options = [...new Set([...choices, ...(value ? [value] : [])])];
    return <SelectField label={label} error={error} value={value} onChange={onChange} options={[{ value: "", label: automatic }, ...options.map((each) => ({ value: each, label: said(each) }))]} />;
  }
  if (COUNTS.includes(name)) return <NumberField label={label} error={error} min={0} step={1} placeholder={automatic} value={value === "" ? null : Number(value)} onChange={(count) => onChange(count === null ? "" : String(count))} />;
  if (name === "missing")
    return (
      <Field label={label} error={error}>
        {(control) => (
          <>
            <input {...control} value={value === ONLY_EMPTY ? "" : value} placeholder={value === ONLY_EMPTY ? "" : "NA,N/A,null,?…"} onInput={(event) => onChange(event.currentTarget.value)} />
          </>
        )}
      </Field>
    );
  return <TextField label={label} error={error} placeholder={automatic} value={value} onChange={onChange} />;
}

interface PreviewProps {
  preview: Schema["DatasetPreview"];
  kinds: Record<string, string>;
  onKind: (name: string, kind: string) => void;
}

function Preview({ preview, kinds, onKind }: PreviewProps) {
  const text = datasetText();
  const columns = preview.columns.slice(0, SHOWN_COLUMNS);
  return (
    <>
      <div class="table-frame tall" role="region" tabIndex={0} aria-label={text.preview}>
        <table class="cells">
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.name}>
                  <div>{column.name}</div>
                  {column.shape ? (
                    <span class="small">{text.kinds[column.kind]}</span>
                  ) : (
                    <select class="small" aria-label={text.changeKind(column.name)} value={kinds[column.name] ?? column.kind} onChange={(event) => onKind(column.name, event.currentTarget.value)}>
                      {KINDS.map((kind) => (
                        <option key={kind} value={kind}>
                          {text.kinds[kind]}
                        </option>
                      ))}
                    </select>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {preview.preview.rows.map((row, place) => (
              <tr key={place}>
                {columns.map((column, at) => {
                  const cell = row[at] as unknown;
                  return (
                    <td key={column.name} class={typeof cell === "number" ? "number" : undefined}>
                      {cell === null ? <span class="visually-hidden">{text.missingCell}</span> : column.shape ? column.shape.join(" × ") : String(cell)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {preview.warnings.length > 0 && (
        <ul class="small">
          {preview.warnings.slice(0, 8).map((warning, place) => (
            <li key={place}>
              <code>{warning.code}</code> {warning.detail}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
