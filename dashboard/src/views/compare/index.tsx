/** Up to 20 jobs side by side: their curves on one axis, their metrics, and the settings in which they differ. */
import { useEffect, useRef, useState } from "preact/hooks";
import { watch } from "~/api/stream";
import { Notice, ProblemNotice } from "~/elements/Notice";
import { Empty, Page, Section } from "~/elements/Page";
import { useQuery } from "~/state/address";
import { useResource, type Resource } from "~/state/resource";
import { appText } from "~/text/app";
import { compareText } from "~/text/compare";
import { cautionOf, idsOf, LARGEST_SMOOTHING, namesOf, rangeOf, shownSeries, type Comparison } from "./comparison";
import "./compare.css";
import { Curves } from "./Curves";
import { compare, type Found, type Memory } from "./load";
import { Picker } from "./Picker";
import { MetricsTable, SettingsTable, Swatch } from "./Tables";

const BETWEEN_MILLISECONDS = 2_000;
const AXES = ["epoch", "step", "seconds"] as const;

export default function Compare() {
  const text = compareText();
  const [query, setQuery] = useQuery("jobs");
  const ids = idsOf(query);
  const choose = (chosen: string[]) => setQuery(chosen.join(","), true);
  const [isOpen, setOpen] = useState(ids.length < 2);
  const { found, problem, isLoading, reload } = useComparison(ids);
  const comparison = ids.length > 0 ? (found?.comparison ?? null) : null;
  const gone = ids.length > 0 ? (found?.gone ?? []) : [];
  return (
    <Page title={appText().compare} lead={text.lead}>
      {ids.length === 0 && (
        <Empty title={text.emptyTitle}>
          <p>{text.empty}</p>
        </Empty>
      )}
      <ProblemNotice problem={problem} retry={reload} />
      {gone.length > 0 && (
        <Notice
          kind="warning"
          actions={
            <button type="button" onClick={() => choose(ids.filter((id) => !gone.includes(id)))}>
              {text.forget}
            </button>
          }
        >
          {text.gone(gone.join(", "))}
        </Notice>
      )}
      <details class="choose" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{ids.length === 0 ? text.choose : text.change}</summary>
        {isOpen && <Picker chosen={ids} onChange={choose} />}
      </details>
      {comparison && <Chosen comparison={comparison} onRemove={(id) => choose(ids.filter((other) => other !== id))} />}
      {comparison && <Results comparison={comparison} isLoading={isLoading} />}
      {ids.length > 0 && !found && !problem && <p class="waiting">{appText().loading}</p>}
    </Page>
  );
}

/** The comparison that the address asks for; while another is awaited, the one before. */
function useComparison(ids: string[]): Pick<Resource<Found>, "problem" | "isLoading" | "reload"> & { found: Found | undefined } {
  const view = useView();
  const memory = useRef<Memory>({ usual: new Map(), gone: new Set() });
  const key = ids.length > 0 ? JSON.stringify([ids, view]) : null;
  const asked = useResource(key, (signal) => compare({ ids, ...view }, memory.current, signal));
  const last = useRef(asked.value);
  if (asked.value) last.current = asked.value;
  useLive(last.current?.comparison ?? null, asked.reload);
  return { found: last.current, problem: asked.problem, isLoading: asked.isLoading, reload: asked.reload };
}

/** How the address asks for the curves to be drawn. */
function useView() {
  const [axis] = useQuery("axis", "epoch");
  const [series] = useQuery("series");
  const [smoothing] = useQuery("smoothing", "0");
  const [range] = useQuery("range");
  return {
    axis: AXES.find((each) => each === axis) ?? "epoch",
    series: series.split(",").filter(Boolean),
    smoothing: Math.min(LARGEST_SMOOTHING, Math.max(0, Number(smoothing) || 0)),
    range: rangeOf(range),
  };
}

function Chosen({ comparison, onRemove }: { comparison: Comparison; onRemove: (id: string) => void }) {
  const text = compareText();
  const names = namesOf(comparison.jobs.map(({ job }) => job));
  return (
    <ul class="compared" aria-label={text.choose}>
      {comparison.jobs.map(({ job }, place) => (
        <li key={job.id}>
          <Swatch place={place} />
          <a href={`/jobs/${job.id}`}>{names.get(job.id)}</a>
          <button type="button" class="quiet small" aria-label={text.removeLong(names.get(job.id) ?? job.id)} title={text.remove} onClick={() => onRemove(job.id)}>
            ✕
          </button>
        </li>
      ))}
    </ul>
  );
}

function Results({ comparison, isLoading }: { comparison: Comparison; isLoading: boolean }) {
  const text = compareText();
  const { jobs, settings } = comparison;
  const names = namesOf(jobs.map(({ job }) => job));
  const caution = cautionOf(comparison);
  const without = jobs.filter((compared) => compared.curves_removed_at !== null).map(({ job }) => names.get(job.id));
  const { axis, series, smoothing, range } = useView();
  const [, setSeries] = useQuery("series");
  const [, setRange] = useQuery("range");
  return (
    <>
      {caution.tables && <Notice kind="warning">{text.otherTables}</Notice>}
      {!caution.tables && caution.splits && <Notice kind="warning">{text.otherSplits}</Notice>}
      {caution.losses && <Notice>{text.otherLosses}</Notice>}
      {without.length > 0 && <Notice>{text.curvesGone(without.join(", "))}</Notice>}
      <Section title={text.series}>
        <Curves
          comparison={comparison}
          names={names}
          isLoading={isLoading}
          asked={axis}
          shown={shownSeries(series, comparison.names)}
          onShown={(chosen) => setSeries(chosen.join(","))}
          smoothing={smoothing}
          range={range}
          onRange={(chosen) => setRange(chosen ? chosen.map((value) => Number(value.toPrecision(7))).join(":") : "")}
        />
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
