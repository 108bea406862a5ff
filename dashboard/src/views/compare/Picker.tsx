/** Chooses the jobs to compare: the latest, or those whose names hold some words. */
import { useEffect, useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { TextField } from "~/elements/Field";
import { Loaded } from "~/elements/Notice";
import { Empty } from "~/elements/Page";
import { StateBadge } from "~/elements/StateBadge";
import { useResource } from "~/state/resource";
import { compareText } from "~/text/compare";
import { dateTime, integer } from "~/text/format";
import { MOST_JOBS, namesOf } from "./comparison";

const SHOWN = 50;
const TYPING_MILLISECONDS = 250;

interface Props {
  chosen: string[];
  onChange: (ids: string[]) => void;
}

export function Picker({ chosen, onChange }: Props) {
  const text = compareText();
  const [typed, setTyped] = useState("");
  const [name, setName] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setName(typed.trim()), TYPING_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [typed]);
  const query = { page_size: SHOWN, view: "brief" as const, ...(name ? { name } : {}) };
  const jobs = useResource(`picker:${name}`, (signal) => body(api.GET("/v1/jobs", { params: { query }, signal })));
  const isFull = chosen.length >= MOST_JOBS;
  const toggle = (id: string) => onChange(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id]);
  return (
    <div class="picker">
      <div class="picker-head">
        <TextField label={text.find} type="search" value={typed} onChange={setTyped} />
        <p class="muted small" role="status">
          {isFull ? text.full(integer(MOST_JOBS)) : text.chosen(integer(chosen.length), integer(MOST_JOBS))}
        </p>
      </div>
      <Loaded resource={jobs}>
        {({ items: rows, next_page_token }) => {
          const items = rows as Schema["JobSummary"][]; // as the brief view has them
          const names = namesOf(items);
          if (items.length === 0 && !name)
            return (
              <Empty title={text.noJobsTitle}>
                <p>{text.noJobs}</p>
                <a class="button primary" href="/jobs/new">
                  {text.newJob}
                </a>
              </Empty>
            );
          if (items.length === 0) return <p class="muted">{text.noneFound}</p>;
          return (
            <>
              <div class="table-frame picker-jobs" tabIndex={0} role="group" aria-label={text.choose}>
                <table>
                  <thead>
                    <tr>
                      <th>{text.job}</th>
                      <th>{text.model}</th>
                      <th>{text.state}</th>
                      <th>{text.created}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {items.map((job) => (
                      <tr key={job.id}>
                        <td>
                          <label class="check">
                            <input type="checkbox" checked={chosen.includes(job.id)} disabled={isFull && !chosen.includes(job.id)} onChange={() => toggle(job.id)} />
                            {names.get(job.id)}
                          </label>
                        </td>
                        <td class="nowrap">{job.model_kind}</td>
                        <td>
                          <StateBadge state={job.state} />
                        </td>
                        <td class="nowrap">{dateTime(job.created_at)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
              {next_page_token && <p class="muted small">{text.moreJobs}</p>}
            </>
          );
        }}
      </Loaded>
    </div>
  );
}
