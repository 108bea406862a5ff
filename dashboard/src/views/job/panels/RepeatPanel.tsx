/** Repeats: the job run again with other seeds, on shares of its rows or with other values of a setting, and what came of it. */
import { useRef, useState } from "preact/hooks";
import { api, body, idempotencyKey, type Schema } from "~/api/client";
import { Choice, NumberField, SelectField, TextField } from "~/elements/Field";
import { Loaded, Notice, ProblemNotice } from "~/elements/Notice";
import { Section } from "~/elements/Page";
import type { JsonObject } from "~/forms/values";
import { useQuery } from "~/state/address";
import { useAction, useResource } from "~/state/resource";
import { dateTime, integer } from "~/text/format";
import { repeatText } from "~/text/repeat";
import { GroupShown } from "./GroupShown";
import { around, jobsOf, MOST_JOBS, requestOf, settingsOf, WHATS, type Wanted } from "./repeats";
import "./panels.css";

type Job = Schema["JobResource"];
/** Jobs among which the groups are looked for, the latest. */
const LOOKED_AT = 200;

export function RepeatPanel({ job }: { job: Job }) {
  const text = repeatText();
  const [chosen, choose] = useQuery("group");
  const groups = useResource(`groups:${job.id}`, async (signal) => {
    const query = { parent: job.id, kind: "repeat", page_size: LOOKED_AT } as const;
    const made = (await body(api.GET("/v1/jobs", { params: { query }, signal }))).items as Job[];
    return [...new Map(made.map(({ group_id, created_at }) => [group_id as string, created_at]))];
  });
  const known = groups.value ?? [];
  const shown = chosen || known[0]?.[0];
  const options = known.map(([id, at], place) => ({ value: id, label: text.group(integer(known.length - place), dateTime(at)) }));
  const begun = (id: string) => {
    choose(id);
    groups.reload();
  };
  if (job.group_id) {
    return (
      <Notice actions={<a class="button small" href={`/jobs/${job.parent}?tab=repeat&group=${job.group_id}`}>{text.toGroup}</a>}>
        {text.ofThis}
      </Notice>
    );
  }
  return (
    <>
      <Section title={text.title}>
        <p class="muted">{text.lead}</p>
        <Form job={job} onMade={begun} />
      </Section>
      <Loaded resource={groups}>{() => !shown && <p class="muted">{text.none}</p>}</Loaded>
      {shown && options.length > 1 && (
        <div class="fields">
          <SelectField label={text.groups} value={shown} onChange={choose} options={options} />
        </div>
      )}
      {shown && <GroupShown key={shown} id={shown} />}
    </>
  );
}

function Form({ job, onMade }: { job: Job; onMade: (group: string) => void }) {
  const text = repeatText();
  const settings = settingsOf(job.request as JsonObject);
  const first = settings.find(({ pointer }) => pointer === "/optimizer/learning_rate") ?? settings[0];
  const [wanted, setWanted] = useState<Wanted>({ what: "seeds", seeds: 5, vary: "all", shares: "0.1 0.3 1", setting: first?.pointer ?? "", values: around(first?.value) });
  const change = (changes: Partial<Wanted>) => setWanted((before) => ({ ...before, ...changes }));
  const request = requestOf(wanted);
  const count = jobsOf(request);
  const key = useRef({ body: "", value: "" });
  const start = useAction(async () => {
    const written = JSON.stringify(request);
    if (key.current.body !== written) key.current = { body: written, value: idempotencyKey() };
    const made = await body(api.POST("/v1/jobs/{job_id}/repeat", { params: { path: { job_id: job.id }, header: { "idempotency-key": key.current.value } }, body: request }));
    key.current = { body: "", value: "" };
    onMade((made as Schema["GroupResource"]).id);
  });
  const { problem } = start;
  const at = (pointer: string) => problem?.errors.find((error) => error.pointer === pointer || error.pointer.startsWith(`${pointer}/`) || error.pointer.startsWith(`/body${pointer}`))?.detail;
  const isTold = ["/seeds", "/vary", "/shares", "/setting", "/values"].some(at);
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!start.isBusy) void start.run();
      }}
    >
      {problem && !isTold && <ProblemNotice problem={problem} />}
      <div class="panel-bar">
        <Choice label={text.what} value={wanted.what} onChange={(what) => change({ what, seeds: what === "seeds" ? 5 : 3 })} options={WHATS.map((value) => ({ value, label: text.whats[value] }))} />
      </div>
      <div class="fields">
        {wanted.what === "shares" && <TextField label={text.shares} help={text.sharesHelp} value={wanted.shares} onChange={(shares) => change({ shares })} error={at("/shares")} />}
        {wanted.what === "setting" && (
          <>
            <SelectField
              label={text.setting}
              value={wanted.setting}
              onChange={(setting) => change({ setting, values: around(settings.find(({ pointer }) => pointer === setting)?.value) })}
              options={settings.map(({ pointer }) => ({ value: pointer, label: pointer.slice(1).replaceAll("/", ".") }))}
              error={at("/setting")}
            />
            <TextField label={text.values} help={text.valuesHelp} value={wanted.values} onChange={(values) => change({ values })} error={at("/values")} />
          </>
        )}
        <NumberField label={text.seeds} help={text.seedsHelp} value={wanted.seeds} min={1} max={MOST_JOBS} step={1} onChange={(seeds) => change({ seeds })} error={at("/seeds")} />
        <SelectField label={text.vary} value={wanted.vary} onChange={(vary) => change({ vary: vary as Wanted["vary"] })} options={Object.entries(text.varies).map(([value, label]) => ({ value, label }))} error={at("/vary")} />
      </div>
      {count > MOST_JOBS && <p class="field-error">{text.most}</p>}
      <button type="submit" class="primary" disabled={start.isBusy || count > MOST_JOBS || count === 0}>
        {start.isBusy ? text.starting : text.start(integer(count))}
      </button>
    </form>
  );
}
