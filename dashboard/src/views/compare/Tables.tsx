/** The numbers of compared jobs, and the settings in which they differ. */
import { api, body } from "~/api/client";
import { seriesLook } from "~/charts/colours";
import { Choice } from "~/elements/Field";
import { StateBadge } from "~/elements/StateBadge";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { compareText } from "~/text/compare";
import { integer, number } from "~/text/format";
import { seriesName } from "~/text/series";
import { bestOf, columnsOf, pathOf, valueOf, written, type Compared, type Comparison, type Moment } from "./comparison";

type Names = Map<string, string>;

/** The line that a job has in the charts. */
export function Swatch({ place }: { place: number }) {
  const look = seriesLook(place);
  return (
    <svg class="swatch" width="18" height="8" aria-hidden="true">
      <line x1="0" x2="18" y1="4" y2="4" stroke={look.colour} stroke-width="2.5" stroke-dasharray={look.dash.join(" ")} />
    </svg>
  );
}

/** By metric, whether more of it is better; of losses less is. */
function useHigherIsBetter(): (name: string) => boolean {
  const catalog = useResource("catalog", (signal) => body(api.GET("/v1/catalog", { signal })));
  const better = new Map((catalog.value?.metrics ?? []).map((entry) => [entry.kind, entry.better]));
  return (name) => better.get(name.replace(/^(train|validation|test)_/, "")) === "higher";
}

export function MetricsTable({ jobs, names, isLossComparable }: { jobs: Compared[]; names: Names; isLossComparable: boolean }) {
  const text = compareText();
  const [asked, setMoment] = useQuery("of", "best");
  const moment = (asked in text.moments ? asked : "best") as Moment;
  const isHigherBetter = useHigherIsBetter();
  const columns = columnsOf(jobs, moment);
  const best = new Map(
    columns.map((name) => [name, name.endsWith("_loss") && !isLossComparable ? new Set<string>() : bestOf(jobs, moment, name, isHigherBetter(name))]),
  );
  const moments = Object.entries(text.moments).map(([value, label]) => ({ value: value as Moment, label }));
  return (
    <>
      <div class="row compare-of">
        <Choice label={text.of} value={moment} onChange={(value) => setMoment(value)} options={moments} />
        <span class="muted small">{text.momentHelp[moment]}</span>
      </div>
      <div class="table-frame" tabIndex={0} role="group" aria-label={text.metrics}>
        <table class="compare-metrics">
          <thead>
            <tr>
              <th>{text.job}</th>
              <th>{text.state}</th>
              <th class="number">{text.epoch}</th>
              {columns.map((name) => (
                <th key={name} class="number">
                  {seriesName(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {jobs.map((compared, place) => (
              <tr key={compared.job.id}>
                <th scope="row">
                  <Swatch place={place} /> <a href={`/jobs/${compared.job.id}`}>{names.get(compared.job.id)}</a>
                </th>
                <td>
                  <StateBadge state={compared.job.state} />
                </td>
                <td class="number">{integer(compared.metrics[moment]?.epoch as number | undefined)}</td>
                {columns.map((name) => {
                  const isBest = best.get(name)?.has(compared.job.id);
                  const value = valueOf(compared, moment, name);
                  const isThere = compared.metrics[moment]?.[name] !== undefined && compared.metrics[moment]?.[name] !== null;
                  return (
                    <td key={name} class={`number${isBest ? " best" : ""}`}>
                      {isBest && <span class="best-mark">★ <span class="visually-hidden">{text.best}</span></span>}
                      {number(isThere ? value : null)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

export function SettingsTable({ jobs, settings, names }: { jobs: Compared[]; settings: Comparison["settings"]; names: Names }) {
  const text = compareText();
  if (jobs.length < 2) return <p class="muted">{text.one}</p>;
  if (settings.length === 0) return <p class="muted">{text.noDifference}</p>;
  return (
    <div class="table-frame" tabIndex={0} role="group" aria-label={text.settings}>
      <table class="compare-settings">
        <thead>
          <tr>
            <th>{text.setting}</th>
            {jobs.map((compared, place) => (
              <th key={compared.job.id}>
                <Swatch place={place} /> {names.get(compared.job.id)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {settings.map(({ pointer, values }) => (
            <tr key={pointer}>
              <th scope="row">
                <code>{pathOf(pointer)}</code>
              </th>
              {jobs.map(({ job }) => (
                <td key={job.id}>{job.id in values ? <code>{written(values[job.id])}</code> : <span class="muted">{text.absent}</span>}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
