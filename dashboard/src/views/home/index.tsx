/** The first view: what to do first, the latest jobs and datasets, and what the system is doing. */
import { api, body, type Schema } from "~/api/client";
import { Loaded } from "~/elements/Notice";
import { Page, Section } from "~/elements/Page";
import { Progress, StateBadge } from "~/elements/StateBadge";
import { useResource } from "~/state/resource";
import { ago, dateTime, duration, integer, percent } from "~/text/format";
import { homeText } from "~/text/home";
import "./home.css";
import { MOST, useLatestJobs, type Row } from "./latest";
import { Samples, Steps } from "./Start";
import { System } from "./System";

export default function Home() {
  const text = homeText();
  const jobs = useLatestJobs();
  const datasets = useResource("home:datasets", async (signal) => {
    const query = { view: "brief", page_size: MOST } as const;
    return (await body(api.GET("/v1/datasets", { params: { query }, signal }))).items as Schema["DatasetSummary"][];
  });
  const isNew = jobs.value?.length === 0;
  const latest = (
    <div class="columns two">
      <Section title={text.jobs} actions={<a href="/jobs">{text.allJobs}</a>}>
        <Loaded resource={jobs}>{(rows) => (rows.length === 0 ? <p class="muted">{text.noJobs}</p> : <Jobs rows={rows} />)}</Loaded>
      </Section>
      <Section title={text.datasets} actions={<a href="/datasets">{text.allDatasets}</a>}>
        <Loaded resource={datasets}>{(rows) => (rows.length === 0 ? <p class="muted">{text.noDatasets}</p> : <Datasets rows={rows} />)}</Loaded>
      </Section>
    </div>
  );
  return (
    <Page title={text.title} lead={text.lead}>
      <Steps />
      {isNew && <Samples />}
      {latest}
      <System />
      {jobs.value && !isNew && <Samples />}
    </Page>
  );
}

function Jobs({ rows }: { rows: Row[] }) {
  const text = homeText();
  return (
    <ul class="latest">
      {rows.map((job) => {
        const name = job.name ?? text.unnamed;
        const isGoing = !job.done && job.state !== "queued";
        const left = job.progress.eta_seconds;
        return (
          <li key={job.id}>
            <a href={`/jobs/${job.id}`}>{name}</a>
            <StateBadge state={job.state} />
            <span class="muted small about">
              {job.model_kind.replaceAll("_", " ")} · <span title={dateTime(job.created_at)}>{ago(job.created_at)}</span>
            </span>
            {isGoing && (
              <span class="going">
                <Progress value={job.progress.fraction} label={text.progress(name)} />
                <span class="muted small number">
                  {percent(job.progress.fraction)} {left !== null && left !== undefined && duration(left)}
                </span>
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function Datasets({ rows }: { rows: Schema["DatasetSummary"][] }) {
  const text = homeText();
  return (
    <ul class="latest">
      {rows.map((dataset) => (
        <li key={dataset.id}>
          <a href={`/datasets/${dataset.id}`}>{dataset.name}</a>
          <a class="small" href={`/jobs/new?dataset=${dataset.id}`} aria-label={`${text.newJob}: ${dataset.name}`}>
            {text.newJob}
          </a>
          <span class="muted small about">
            {text.size(integer(dataset.rows), integer(dataset.column_count))} · <span title={dateTime(dataset.created_at)}>{ago(dataset.created_at)}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}
