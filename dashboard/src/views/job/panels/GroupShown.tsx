/** A group of jobs that repeat one: how far they are, the spread of each metric, and the bands of their curves. */
import { useEffect } from "preact/hooks";
import { api, body } from "~/api/client";
import { watchAll } from "~/api/stream";
import { Line } from "~/charts/Line";
import { ask } from "~/elements/Dialog";
import { Choice, SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Loaded, ProblemNotice } from "~/elements/Notice";
import { NumberTable } from "~/elements/NumberTable";
import { Section } from "~/elements/Page";
import { Progress, StateBadge } from "~/elements/StateBadge";
import { useQuery } from "~/state/address";
import { useAction, useResource } from "~/state/resource";
import { integer, number } from "~/text/format";
import { jobText } from "~/text/job";
import { repeatText } from "~/text/repeat";
import { seriesName } from "~/text/series";
import { aboutsOf, bandsOf, coursesOf, metricsOf, valueName, type Group, type Tried } from "./repeats";

/** How soon what has happened to the jobs is asked for. */
const SOON_MILLISECONDS = 500;
const SPREAD = "s = \\sqrt{\\frac{\\sum_i (x_i - \\bar x)^2}{n - 1}}, \\qquad \\bar x \\pm t_{n-1}\\, \\frac{s}{\\sqrt n}";

export function GroupShown({ id }: { id: string }) {
  const group = useResource(`group:${id}`, (signal) => body(api.GET("/v1/groups/{group_id}", { params: { path: { group_id: id } }, signal })));
  const isGoing = group.value !== undefined && !group.value.done;
  const ids = group.value?.jobs.map((job) => job.id).join() ?? "";
  useEffect(() => {
    if (!isGoing) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = watchAll((event) => {
      if (event.event !== "reset" && !ids.includes(event.data.id)) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        group.reload();
      }, SOON_MILLISECONDS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [isGoing, ids]);
  return (
    <Loaded resource={group}>
      {(found) => (
        <>
          <Standing group={found} onChange={group.set} />
          <Result group={found} />
          <Curves group={found} />
          <Jobs group={found} />
        </>
      )}
    </Loaded>
  );
}

function Standing({ group, onChange }: { group: Group; onChange: (group: Group) => void }) {
  const text = repeatText();
  const cancel = useAction(async () => {
    if (!(await ask(text.cancelTitle, text.cancelText, text.cancel))) return;
    onChange(await body(api.POST("/v1/groups/{group_id}/cancel", { params: { path: { group_id: group.id } } })));
  });
  const ended = group.jobs.filter(({ done }) => done).length;
  const succeeded = group.jobs.filter(({ state }) => state === "succeeded").length;
  const fraction = group.jobs.reduce((sum, job) => sum + (job.done ? 1 : job.progress.fraction), 0) / Math.max(1, group.jobs.length);
  return (
    <div class="card replay">
      <p>{askedFor(group)}</p>
      <Progress value={fraction} label={text.progress} />
      <div class="row">
        <span class="muted small" role="status">
          {text.done(integer(ended), integer(group.jobs.length), integer(succeeded))}
        </span>
        {!group.done && (
          <button type="button" class="small danger" disabled={cancel.isBusy} onClick={() => cancel.run()}>
            {text.cancel}
          </button>
        )}
      </div>
      <ProblemNotice problem={cancel.problem} />
    </div>
  );
}

/** What a group was asked for, in a sentence. */
export function askedFor({ asked: { seeds, vary, setting, values } }: Pick<Group, "asked">): string {
  const { asked, varies } = repeatText();
  const listed = (values as unknown[]).map(valueName).join(", ");
  const many = integer(seeds as number);
  if (setting === null) return asked.seeds(many, varies[vary as keyof typeof varies] ?? String(vary));
  return setting === "/split/train_share" ? asked.shares(listed, many) : asked.setting(String(setting).slice(1).replaceAll("/", "."), listed, many);
}

function Result({ group: { result, asked } }: { group: Group }) {
  const text = repeatText();
  const abouts = aboutsOf(result);
  const [named, setAbout] = useQuery("metric", "loss");
  const about = abouts.includes(named) ? named : abouts[0];
  if (about === undefined) return <p class="muted">{text.noResult}</p>;
  const isOne = asked.setting === null;
  return (
    <Section title={text.result}>
      <p class="muted">{text.resultLead}</p>
      {!isOne && (
        <>
          <div class="fields">
            <SelectField label={text.metric} value={about} onChange={setAbout} options={abouts.map((value) => ({ value, label: seriesName(value) }))} />
          </div>
          <Courses result={result} about={about} setting={String(asked.setting)} />
        </>
      )}
      <Spreads result={result} keys={isOne ? metricsOf(result) : metricsOf(result).filter((key) => key.endsWith(`_${about}`))} isOne={isOne} />
      <details>
        <summary>{text.formula}</summary>
        <Formula latex={SPREAD} isBlock />
      </details>
    </Section>
  );
}

/** A metric against the values that were tried. */
function Courses({ result, about, setting }: { result: Tried[]; about: string; setting: string }) {
  const text = repeatText();
  const lines = coursesOf(result, about, seriesName);
  const rows = () => ({
    columns: [setting, "series", "mean", "low", "high"],
    rows: lines.flatMap(({ name, y, min, max }) => result.map(({ value }, place) => [valueName(value), name, y[place] as number, min?.[place] as number, max?.[place] as number])),
  });
  return (
    <Figure title={`${text.courses}: ${seriesName(about)}`} caption={text.coursesCaption} rows={rows}>
      <Line label={`${text.courses}: ${seriesName(about)}`} series={lines} xLabel={setting.slice(1).replaceAll("/", ".")} formatX={(place) => (Number.isInteger(place) && result[place] ? valueName(result[place].value) : "")} />
    </Figure>
  );
}

/** The spread of each loss and metric over the runs, a value after the other. */
function Spreads({ result, keys, isOne }: { result: Tried[]; keys: string[]; isOne: boolean }) {
  const text = repeatText();
  const lines = result.flatMap(({ value, metrics }) => keys.flatMap((key) => (metrics[key] ? [{ name: isOne ? seriesName(key) : `${valueName(value)} · ${seriesName(key)}`, spread: metrics[key] }] : [])));
  const cells = lines.map(({ spread: { count, mean, deviation, low, high, interval } }) => [integer(count), number(mean), number(deviation), number(low), number(high), interval ? `${number(interval[0])} … ${number(interval[1])}` : "–"]);
  const across = [text.runs, text.mean, text.deviation, text.low, text.high, text.interval];
  return <NumberTable label={text.result} corner={isOne ? text.metric : text.value} across={across} down={lines.map(({ name }) => name)} cell={(row, column) => cells[row]?.[column]} />;
}

/** One curve of all runs, as a band for each value. */
function Curves({ group }: { group: Group }) {
  const text = repeatText();
  const names = [...new Set(group.jobs.flatMap(({ latest }) => Object.keys(latest).filter((name) => /^(train|validation)_/.test(name))))];
  const usual = names.includes("validation_loss") ? "validation_loss" : (names[0] ?? "train_loss");
  const [named, setCurve] = useQuery("curve", usual);
  const [band, setBand] = useQuery("band", "range");
  const curve = names.includes(named) ? named : usual;
  const round = group.jobs.filter(({ done }) => done).length;
  const bands = useResource(names.length ? `bands:${group.id}:${curve}:${round}` : null, (signal) =>
    body(api.GET("/v1/groups/{group_id}/curves", { params: { path: { group_id: group.id }, query: { series: curve } }, signal })),
  );
  if (names.length === 0) return null;
  return (
    <Section title={text.curves}>
      <div class="fields">
        <SelectField label={text.curve} value={curve} onChange={setCurve} options={names.map((value) => ({ value, label: seriesName(value) }))} />
      </div>
      <div class="panel-bar">
        <Choice label={text.band} value={band} onChange={setBand} options={(["range", "deviation"] as const).map((value) => ({ value, label: text.bands[value] }))} />
      </div>
      <Loaded resource={bands}>
        {(found) => {
          const lines = bandsOf(found, band === "deviation", text.all);
          const runs = Math.max(0, ...found.bands.flatMap(({ count }) => count));
          const isUneven = found.bands.some(({ count }) => count.some((each) => each < (count[0] ?? 0)));
          const rows = () => ({
            columns: ["value", "epoch", "count", "mean", "deviation", "low", "high"],
            rows: found.bands.flatMap(({ value, epoch, count, mean, deviation, low, high }) => epoch.map((each, k) => [value === null ? "" : valueName(value), each, count[k] as number, mean[k] as number, deviation[k] as number | null, low[k] as number, high[k] as number])),
          });
          return (
            <Figure title={seriesName(curve)} rows={rows} caption={`${text.bandCaption(integer(runs))} ${isUneven ? text.someEnded : ""}`}>
              <Line label={text.chart(seriesName(curve))} series={lines} xLabel={jobText().curves.axes.epoch} />
            </Figure>
          );
        }}
      </Loaded>
    </Section>
  );
}

function Jobs({ group }: { group: Group }) {
  const text = repeatText();
  const key = group.jobs.some(({ latest }) => "validation_loss" in latest) ? "validation_loss" : "train_loss";
  return (
    <details class="section">
      <summary>
        {text.jobs} ({integer(group.jobs.length)})
      </summary>
      <div class="table-frame" tabIndex={0} role="region" aria-label={text.jobs}>
        <table>
          <thead>
            <tr>
              <th scope="col">{text.name}</th>
              <th scope="col">{text.state}</th>
              <th scope="col" class="number">{seriesName(key)}</th>
            </tr>
          </thead>
          <tbody>
            {group.jobs.map((job, place) => (
              <tr key={job.id}>
                <th scope="row">
                  <a href={`/jobs/${job.id}`}>{job.name ?? job.id}</a> <span class="muted small">{integer(place + 1)}</span>
                </th>
                <td>
                  <StateBadge state={job.state} />
                </td>
                <td class="number">{number(job.latest[key] as number | null | undefined)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
