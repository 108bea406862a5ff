/** What happened to a job, newest first, live: its states, messages and checkpoints. */
import { useContext, useEffect, useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { Loaded } from "~/elements/Notice";
import { Empty } from "~/elements/Page";
import { StateBadge } from "~/elements/StateBadge";
import { useAction, useResource } from "~/state/resource";
import { appText } from "~/text/app";
import { dateTime, integer } from "~/text/format";
import { jobText } from "~/text/job";
import { language } from "~/text/language";
import { EventsOfJob, type Job } from "../live";

type Entry = Schema["LogEntry"];
/** Checkpoints are not told by events. */
const REFRESH_MILLISECONDS = 5_000;
const PAGE = 100;

/** The newest entries before those that were there, without doubles. */
export function withNewest(before: Entry[], newest: Entry[]): Entry[] {
  const key = (entry: Entry) => `${entry.at} ${entry.kind} ${entry.epoch} ${entry.state} ${entry.message}`;
  const known = new Set(newest.map(key));
  const oldest = newest.at(-1)?.at ?? "";
  return [...newest, ...before.filter((entry) => entry.at <= oldest && !known.has(key(entry)))];
}

function at(time: string): string {
  return new Intl.DateTimeFormat(language.value, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(time));
}

export function LogPanel({ job }: { job: Job }) {
  const text = jobText().log;
  const listen = useContext(EventsOfJob);
  const ask = (page_token?: string) => body(api.GET("/v1/jobs/{job_id}/log", { params: { path: { job_id: job.id }, query: { page_size: PAGE, page_token } } }));
  const log = useResource(`log:${job.id}`, () => ask());
  const [token, setToken] = useState<string | null>();
  const next = token === undefined ? log.value?.next_page_token : token;
  const refresh = () => {
    ask().then((found) => log.set((before) => before && { ...before, items: withNewest(before.items, found.items) }), () => {}); // the next try may reach it
  };
  const more = useAction(async () => {
    const found = await ask(next ?? undefined);
    log.set((before) => before && { ...before, items: [...before.items, ...found.items] });
    setToken(found.next_page_token);
  });
  useEffect(() => listen((event) => event.event !== "metric" && refresh()), [job.id]);
  useEffect(() => {
    if (job.done) return;
    const timer = setInterval(() => !document.hidden && refresh(), REFRESH_MILLISECONDS);
    return () => clearInterval(timer);
  }, [job.id, job.done]);
  useEffect(refresh, [job.state]);
  return (
    <Loaded resource={log}>
      {({ items }) => (
        <>
          {items.length === 0 && <Empty title={text.empty} />}
          <ol class="job-log">
            {items.map((entry, k) => (
              <li key={`${entry.at}-${entry.kind}-${k}`}>
                <time dateTime={entry.at} title={dateTime(entry.at)}>
                  {at(entry.at)}
                </time>
                <span class="at">{text.epoch(integer(entry.epoch))}</span>
                <span>
                  {entry.kind === "state" && entry.state && <StateBadge state={entry.state} />}
                  {entry.kind === "checkpoint" && text.taken(integer(entry.epoch))} {entry.message}
                </span>
              </li>
            ))}
          </ol>
          {next && (
            <button type="button" disabled={more.isBusy} onClick={() => more.run()}>
              {appText().more}
            </button>
          )}
        </>
      )}
    </Loaded>
  );
}
