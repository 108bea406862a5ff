/** Up to 20 jobs side by side: their curves on one axis, their metrics, and the settings in which they differ. */
import { useEffect, useRef } from "preact/hooks";
import { watch } from "~/api/stream";
import { Notice, ProblemNotice } from "~/elements/Notice";
import { Empty, Page, Section } from "~/elements/Page";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { appText } from "~/text/app";
import { compareText } from "~/text/compare";
import { cautionOf, idsOf, namesOf, shownSeries, type Comparison } from "./comparison";
import "./compare.css";
import { Curves } from "./Curves";
import { compare } from "./load";
import { Picker } from "./Picker";
import { MetricsTable, SettingsTable, Swatch } from "./Tables";

const BETWEEN_MILLISECONDS = 2_000;
const AXES = ["epoch", "step", "seconds"] as const;

export default function Compare() {
  const text = compareText();
  const [query, setQuery] = useQuery("jobs");
  const ids = idsOf(query);
  const choose = (chosen: string[]) => setQuery(chosen.join(","), true);
  return (
    <Page title={appText().compare} lead={text.lead}>
      {ids.length === 0 ? (
        <>
          <Empty title={text.emptyTitle}>
            <p>{text.empty}</p>
          </Empty>
          <Section title={text.choose}>
            <Picker chosen={ids} onChange={choose} />
          </Section>
        </>
      ) : (
        <Compared ids={ids} choose={choose} />
      )}
    </Page>
  );
}

function Compared({ ids, choose }: { ids: string[]; choose: (ids: string[]) => void }) {
  const text = compareText();
  const [askedAxis] = useQuery("axis", "epoch");
  const [askedSeries, setSeries] = useQuery("series");
  const [askedSmoothing] = useQuery("smoothing", "0");
  const [askedRange, setRange] = useQuery("range");
  const axis = AXES.find((each) => each === askedAxis) ?? "epoch";
  const smoothing = Math.min(0.99, Math.max(0, Number(askedSmoothing) || 0));
  const range = rangeOf(askedRange);
  const series = askedSeries.split(",").filter(Boolean);
  const usual = useRef(new Map<string, string[]>());
  const key = JSON.stringify([ids, axis, series, smoothing, range]);
  const found = useResource(key, (signal) => compare({ ids, axis, series, smoothing, range }, usual.current, signal));
  const last = useRef(found.value); // shown until the next answer is here
  if (found.value) last.current = found.value;
  const shown = last.current;
  useLive(shown?.comparison ?? null, found.reload);
  const isOver = !shown?.comparison;
  return (
    <>
      <ProblemNotice problem={found.problem} retry={found.reload} />
      {shown && shown.gone.length > 0 && (
        <Notice
          kind="warning"
          actions={
            <button type="button" onClick={() => choose(ids.filter((id) => !shown.gone.includes(id)))}>
              {text.forget}
            </button>
          }
        >
          {text.gone(shown.gone.join(", "))}
        </Notice>
      )}
      {shown?.comparison && (
        <Side
          comparison={shown.comparison}
          ids={ids}
          choose={choose}
          asked={askedSeries}
          onSeries={(names) => setSeries(names.join(","))}
          smoothing={smoothing}
          range={range}
          onRange={(chosen) => setRange(chosen ? chosen.map((value) => Number(value.toPrecision(7))).join(":") : "")}
        />
      )}
      {!shown && !found.problem && <p class="waiting">{appText().loading}</p>}
      <Section>
        <details open={isOver && shown !== undefined}>
          <summary>{text.change}</summary>
          <Picker chosen={ids} onChange={choose} />
        </details>
      </Section>
    </>
  );
}

interface SideProps {
  comparison: Comparison;
  ids: string[];
  choose: (ids: string[]) => void;
  asked: string;
  onSeries: (names: string[]) => void;
  smoothing: number;
  range: [number, number] | null;
  onRange: (range: [number, number] | null) => void;
}

function Side({ comparison, ids, choose, asked, onSeries, smoothing, range, onRange }: SideProps) {
  const text = compareText();
  const { jobs, settings } = comparison;
  const names = namesOf(jobs.map(({ job }) => job));
  const caution = cautionOf(comparison);
  const without = jobs.filter((compared) => compared.curves_removed_at !== null).map(({ job }) => names.get(job.id));
  return (
    <>
      <ul class="compared" aria-label={text.choose}>
        {jobs.map(({ job }, place) => (
          <li key={job.id}>
            <Swatch place={place} />
            <a href={`/jobs/${job.id}`}>{names.get(job.id)}</a>
            <button type="button" class="quiet small" aria-label={text.removeLong(names.get(job.id) ?? job.id)} title={text.remove} onClick={() => choose(ids.filter((id) => id !== job.id))}>
              ✕
            </button>
          </li>
        ))}
      </ul>
      {caution.tables && <Notice kind="warning">{text.otherTables}</Notice>}
      {!caution.tables && caution.splits && <Notice kind="warning">{text.otherSplits}</Notice>}
      {caution.losses && <Notice>{text.otherLosses}</Notice>}
      {without.length > 0 && <Notice>{text.curvesGone(without.join(", "))}</Notice>}
      <Section title={text.series}>
        <Curves comparison={comparison} names={names} shown={shownSeries(asked, comparison.names)} onShown={onSeries} smoothing={smoothing} range={range} onRange={onRange} />
      </Section>
      <Section title={text.metrics}>
        <MetricsTable jobs={jobs} names={names} isLossComparable={!caution.losses} />
      </Section>
      <Section title={text.settings}>
        <SettingsTable jobs={jobs} settings={settings} names={names} />
      </Section>
    </>
  );
}

/** Ask again, by and by, while something happens to a job that is not done. */
function useLive(comparison: Comparison | null, reload: () => void): void {
  const open = (comparison?.jobs ?? []).filter(({ job }) => !job.done);
  const key = open.map(({ job }) => job.id).join();
  const events = useRef(new Map<string, number>());
  events.current = new Map(open.map((compared) => [compared.job.id, compared.event_id]));
  const latest = useRef(reload);
  latest.current = reload;
  useEffect(() => {
    if (!key) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = watch(
      key.split(",").map((id) => ({ id, from: events.current.get(id) })),
      () => {
        timer ??= setTimeout(() => {
          timer = undefined;
          latest.current();
        }, BETWEEN_MILLISECONDS);
      },
    );
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [key]);
}

/** A stretch of the axis in the address, as 10:25.5. */
function rangeOf(query: string): [number, number] | null {
  const [low, high] = query.split(":").map(Number);
  return low !== undefined && high !== undefined && low < high ? [low, high] : null;
}
