/** Built-in tables and generators, each with a form for its parameters. */
import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { Formula } from "~/elements/Formula";
import { NumberField, SelectField } from "~/elements/Field";
import { Loaded, ProblemNotice } from "~/elements/Notice";
import { useAction, useResource } from "~/state/resource";
import { datasetsText } from "~/text/datasets";

type Sample = Schema["SampleResource"];

interface Parameter {
  title?: string;
  type?: string;
  const?: unknown;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  description?: string;
  enum?: (string | number)[];
}

export function Samples() {
  const text = datasetsText();
  const [chosen, setChosen] = useState<string | null>(null);
  const samples = useResource("samples", async (signal) => (await body(api.GET("/v1/samples", { signal }))).items);
  return (
    <>
      <p class="muted">{text.samplesHelp}</p>
      <Loaded resource={samples}>
        {(items) => (
          <ul class="samples">
            {items.map((sample) => (
              <li key={sample.kind}>
                <button type="button" class="sample" aria-expanded={chosen === sample.kind} onClick={() => setChosen(chosen === sample.kind ? null : sample.kind)}>
                  {sample.title}
                </button>
                {chosen === sample.kind && <SampleForm sample={sample} />}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </>
  );
}

function SampleForm({ sample }: { sample: Sample }) {
  const text = datasetsText();
  const { route } = useLocation();
  const parameters = Object.entries((sample.parameters.properties ?? {}) as Record<string, Parameter>).filter(([name]) => name !== "kind");
  const [values, setValues] = useState<Record<string, unknown>>({});
  const make = useAction(async () => {
    const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
    const dataset = await body(api.POST("/v1/samples", { body: { sample: { kind: sample.kind, ...given } as never } }));
    route(`/datasets/${dataset.id}`);
  });
  const set = (name: string) => (value: unknown) => setValues({ ...values, [name]: value });
  const wrong = (name: string) => make.problem?.errors.find(({ pointer }) => pointer.endsWith(`/${name}`))?.detail;
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        void make.run();
      }}
    >
      <p>{sample.description}</p>
      {sample.formula && <Formula latex={sample.formula} />}
      {sample.source && <p class="muted small">{sample.source}</p>}
      <div class="fields">
        {parameters.map(([name, parameter]) =>
          parameter.enum ? (
            <SelectField key={name} label={parameter.title ?? name} help={parameter.description} error={wrong(name)} value={String(values[name] ?? parameter.default ?? "")} onChange={(value) => set(name)(parameter.type === "integer" ? Number(value) : value)} options={parameter.enum.map((value) => ({ value: String(value), label: String(value) }))} />
          ) : (
            <NumberField key={name} label={parameter.title ?? name} help={parameter.description} error={wrong(name)} value={values[name] as number | null} placeholder={String(parameter.default ?? "")} min={parameter.minimum ?? parameter.exclusiveMinimum} max={parameter.maximum} step={parameter.type === "integer" ? 1 : "any"} onChange={set(name)} />
          ),
        )}
      </div>
      <ProblemNotice problem={make.problem} />
      <button type="submit" class="primary" disabled={make.isBusy}>
        {text.make}
      </button>
    </form>
  );
}
