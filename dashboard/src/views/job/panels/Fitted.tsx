/** What came of a job's settings: the scaling as it was fitted, checkpoints with their weights, versions. */
import { api, body } from "~/api/client";
import { Formula } from "~/elements/Formula";
import { Loaded } from "~/elements/Notice";
import { Section } from "~/elements/Page";
import { useAction, useResource } from "~/state/resource";
import { appText } from "~/text/app";
import { bytes, dateTime, integer, number } from "~/text/format";
import { jobText } from "~/text/job";
import type { Job } from "../live";

const FORMATS = ["npz", "safetensors", "json"] as const;
const PAGE = 20;

export function FittedScaling({ job }: { job: Job }) {
  const text = jobText().settings;
  const units = Object.entries(job.units ?? {});
  if (!job.scaling && !job.target_scaling && units.length === 0) return null;
  const shown = (value: unknown) => (Array.isArray(value) ? text.several(integer(value.length)) : number(value as number, 6));
  const rows = [...(job.scaling?.columns ?? []), ...(job.target_scaling ?? [])];
  return (
    <Section title={text.scaling}>
      {job.scaling && (
        <p class="muted">
          {text.scalingLead} <Formula latex={job.scaling.formula} />
        </p>
      )}
      {job.target_scaling && <p class="muted">{text.targetScaling}</p>}
      {rows.length > 0 && (
        <div class="table-frame">
          <table>
            <thead>
              <tr>
                <th scope="col">{text.column}</th>
                <th scope="col" class="number">{text.center}</th>
                <th scope="col" class="number">{text.scale}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ column, center, scale }) => (
                <tr key={column}>
                  <th scope="row">{column}</th>
                  <td class="number">{shown(center)}</td>
                  <td class="number">{shown(scale)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {units.length > 0 && (
        <p class="muted small">
          {text.units}: {units.map(([name, unit]) => `${name} ${unit}`).join(" · ")}
        </p>
      )}
    </Section>
  );
}

export function Checkpoints({ job }: { job: Job }) {
  const text = jobText().settings;
  const ask = (page_token?: string) => body(api.GET("/v1/jobs/{job_id}/checkpoints", { params: { path: { job_id: job.id }, query: { page_size: PAGE, page_token } } }));
  const kept = useResource(`checkpoints:${job.id}:${job.state}`, () => ask());
  const more = useAction(async () => {
    const found = await ask(kept.value?.next_page_token ?? undefined);
    kept.set((before) => before && { ...found, items: [...before.items, ...found.items] });
  });
  return (
    <Section title={text.checkpoints}>
      {job.checkpoints_removed_at && <p class="muted">{text.checkpointsGone(dateTime(job.checkpoints_removed_at))}</p>}
      <Loaded resource={kept}>
        {({ items, next_page_token }) => (
          <>
            <p class="muted">{items.length ? text.checkpointsLead : text.noCheckpoints}</p>
            {items.length > 0 && (
              <div class="table-frame">
                <table>
                  <thead>
                    <tr>
                      <th scope="col" class="number">{text.epoch}</th>
                      <th scope="col">{text.at}</th>
                      <th scope="col" class="number">{text.size}</th>
                      <th scope="col">{text.download}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {items.map(({ epoch, created_at, bytes: size }) => (
                      <tr key={epoch}>
                        <td class="number">{integer(epoch)}</td>
                        <td>{epoch === 0 ? text.before : dateTime(created_at)}</td>
                        <td class="number">{size === null ? "–" : bytes(size)}</td>
                        <td class="row">
                          {FORMATS.map((format) => (
                            <a
                              key={format}
                              href={`/v1/jobs/${job.id}/weights?epoch=${epoch}&format=${format}`}
                              download={`${job.id}-${epoch}.${format}`}
                              aria-label={text.downloadOf(integer(epoch), format)}
                            >
                              {format === "json" ? "JSON" : format === "npz" ? "NPZ" : format}
                            </a>
                          ))}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            {next_page_token && (
              <button type="button" disabled={more.isBusy} onClick={() => more.run()}>
                {appText().more}
              </button>
            )}
          </>
        )}
      </Loaded>
    </Section>
  );
}

export function Versions({ job }: { job: Job }) {
  const text = jobText().settings;
  const model = useResource(job.model_id ? `model:${job.model_id}` : null, (signal) => body(api.GET("/v1/models/{model_id}", { params: { path: { model_id: job.model_id as string } }, signal })));
  const versions = model.value?.versions;
  if (!versions) return null;
  return (
    <Section title={text.versions}>
      <p class="muted">{text.versionsLead}</p>
      <dl class="facts">
        {Object.entries(versions).map(([name, version]) => (
          <>
            <dt key={name}>{name}</dt>
            <dd>{String(version)}</dd>
          </>
        ))}
      </dl>
    </Section>
  );
}
