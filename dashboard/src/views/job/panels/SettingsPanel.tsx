/** What a job was asked to do, with every default, and what came of it that can be downloaded. */
import type { ComponentChildren } from "preact";
import { api, body } from "~/api/client";
import { Formula } from "~/elements/Formula";
import { Loaded } from "~/elements/Notice";
import { Section } from "~/elements/Page";
import type { JsonObject } from "~/forms/values";
import { useResource } from "~/state/resource";
import { number } from "~/text/format";
import { jobText } from "~/text/job";
import { language } from "~/text/language";
import type { Job } from "../live";
import { Checkpoints, FittedScaling, Versions } from "./Fitted";
import { RequestAs } from "./RequestAs";

type Catalog = Record<string, Entry[]>;
type Entry = { kind: string; summary: string; formula: string; source?: string | null; schema?: { properties?: Record<string, { description?: string }> } | null };
type Value = unknown;

const isObject = (value: Value): value is Record<string, Value> => typeof value === "object" && value !== null && !Array.isArray(value);

/** A setting as people read it. */
export function written(value: Value): string {
  const text = jobText().settings;
  if (value === null || value === undefined) return text.none;
  if (typeof value === "boolean") return value ? text.yes : text.no;
  if (typeof value === "number") return number(value, 10);
  if (Array.isArray(value)) return value.map(written).join(", ") || text.none;
  if (isObject(value) && typeof value.kind === "string" && Object.keys(value).length === 1) return value.kind;
  if (isObject(value)) return Object.entries(value).map(([name, inner]) => `${name}: ${written(inner)}`).join(", ");
  return String(value);
}

/** The settings within a part, one a line: those within it under their path, as "initializer.kind". */
export function flat(value: Record<string, Value>, prefix = ""): [string, Value][] {
  return Object.entries(value).flatMap(([name, inner]): [string, Value][] => (isObject(inner) ? flat(inner, `${prefix}${name}.`) : [[prefix + name, inner]]));
}

function Fields({ fields, entry }: { fields: [string, Value][]; entry?: Entry }) {
  if (fields.length === 0) return null;
  return (
    <dl class="facts">
      {fields.map(([name, value]) => (
        <>
          <dt key={name} title={entry?.schema?.properties?.[name]?.description}>
            <code>{name}</code>
          </dt>
          <dd>{written(value)}</dd>
        </>
      ))}
    </dl>
  );
}

function About({ entry }: { entry: Entry | undefined }) {
  if (!entry) return null;
  return (
    <>
      <p>{entry.summary}</p>
      {entry.formula && <Formula latex={entry.formula} isBlock />}
    </>
  );
}

function Card({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="card">
      <h3>{title}</h3>
      {children}
    </div>
  );
}

const FAMILIES = [["model", "models"], ["loss", "losses"], ["optimizer", "optimizers"], ["schedule", "schedules"]] as const;
const DATA = ["target", "features", "task"];
const PARTS = ["regularization", "preprocessing", "split", "early_stopping", "record"] as const;
const ELSEWHERE = [...DATA, ...PARTS, ...FAMILIES.map(([name]) => name), "name", "tags", "dataset_id"] as string[];

function Layers({ hidden, catalog }: { hidden: Record<string, Value>[]; catalog: Catalog }) {
  const text = jobText().settings;
  const nameOf = (value: Value) => (isObject(value) ? String(value.kind) : String(value));
  return (
    <>
      {hidden.map((layer, k) => {
        const entry = (catalog.activations ?? []).find(({ kind }) => kind === nameOf(layer.activation));
        return (
          <div key={k} class="job-layer">
            <strong>{text.layer(String(k + 1))}</strong> {flat(layer).map(([name, value]) => `${name} ${written(value)}`).join(" · ")} {entry && <Formula latex={entry.formula} />}
          </div>
        );
      })}
    </>
  );
}

function Groups({ request, catalog }: { request: Job["request"]; catalog: Catalog }) {
  const text = jobText().settings;
  const entryOf = (family: string, value: Value): Entry | undefined =>
    (catalog[family] ?? []).find(({ kind }) => kind === (isObject(value) ? value.kind : value));
  const rest = Object.entries(request).filter(([name]) => !ELSEWHERE.includes(name));
  return (
    <div class="job-settings">
      <Card title={text.groups.data}>
        <Fields fields={DATA.filter((name) => name in request).map((name) => [name, request[name]])} />
      </Card>
      {FAMILIES.map(([name, family]) => {
        const value = request[name] as Value;
        if (value === undefined || value === null) return null;
        const { hidden, initializer, ...fields } = isObject(value) ? value : { kind: value };
        const entry = entryOf(family, value);
        return (
          <Card key={name} title={text.groups[name]}>
            <About entry={entry} />
            <Fields fields={flat(fields)} entry={entry} />
            {Array.isArray(hidden) && <Layers hidden={hidden as Record<string, Value>[]} catalog={catalog} />}
            {isObject(initializer) && (
              <>
                <Fields fields={flat({ initializer })} />
                <About entry={entryOf("initializers", initializer)} />
              </>
            )}
          </Card>
        );
      })}
      {PARTS.filter((name) => name in request).map((name) => {
        const value = request[name] as Value;
        return (
          <Card key={name} title={text.groups[name]}>
            {isObject(value) ? <Fields fields={flat(value)} /> : <p class="muted">{written(value)}</p>}
            {name === "preprocessing" && isObject(value) && <About entry={entryOf("scalers", value.scaling)} />}
          </Card>
        );
      })}
      <Card title={text.groups.training}>
        <Fields fields={rest.flatMap(([name, value]): [string, Value][] => (isObject(value) ? flat({ [name]: value }) : [[name, value]]))} />
      </Card>
    </div>
  );
}

export function SettingsPanel({ job }: { job: Job }) {
  const catalog = useResource("catalog", (signal) => body(api.GET("/v1/catalog", { signal })));
  void language.value;
  return (
    <>
      <Section>
        <Loaded resource={catalog}>{(found) => <Groups request={job.request} catalog={found} />}</Loaded>
      </Section>
      <FittedScaling job={job} />
      <Checkpoints job={job} />
      <RequestAs request={job.request as JsonObject} hasKey={false} />
      <Versions job={job} />
    </>
  );
}
