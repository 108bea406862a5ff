/** One job: how it goes, what it has learned, and what can be done with it. */
import { ErrorBoundary, lazy, useLocation, useRoute } from "preact-iso";
import type { ComponentType } from "preact";
import { useRef, useState } from "preact/hooks";
import type { Schema } from "~/api/client";
import type { Problem } from "~/api/problem";
import { Loaded, ProblemNotice } from "~/elements/Notice";
import { Page } from "~/elements/Page";
import { StateBadge } from "~/elements/StateBadge";
import { Tabs } from "~/elements/Tabs";
import { completed } from "~/api/completed";
import { hasConvolution } from "./panels/maps";
import { useQuery } from "~/state/address";
import { appText } from "~/text/app";
import { jobText } from "~/text/job";
import { Actions } from "./Actions";
import { Describe } from "./Describe";
import { Head } from "./Head";
import { EventsOfJob, newer, useJob, type Job as JobOf } from "./live";
import "./job.css";

type Panel = ComponentType<{ job: Schema["JobResource"] }>;

const PANELS: Record<string, Panel> = {
  curves: lazy(() => import("./panels/CurvesPanel").then((file) => file.CurvesPanel)),
  clusters: lazy(() => import("./panels/ClustersPanel").then((file) => file.ClustersPanel)),
  images: lazy(() => import("./panels/ImagesPanel").then((file) => file.ImagesPanel)),
  network: lazy(() => import("./panels/NetworkPanel").then((file) => file.NetworkPanel)),
  layers: lazy(() => import("./panels/LayersPanel").then((file) => file.LayersPanel)),
  boundary: lazy(() => import("./panels/BoundaryPanel").then((file) => file.BoundaryPanel)),
  slice: lazy(() => import("./panels/SlicePanel").then((file) => file.SlicePanel)),
  updates: lazy(() => import("./panels/UpdatesPanel").then((file) => file.UpdatesPanel)),
  evaluation: lazy(() => import("./panels/EvaluationPanel").then((file) => file.EvaluationPanel)),
  rows: lazy(() => import("./panels/RowsPanel").then((file) => file.RowsPanel)),
  diagnosis: lazy(() => import("./panels/DiagnosisPanel").then((file) => file.DiagnosisPanel)),
  replay: lazy(() => import("./panels/ReplayPanel").then((file) => file.ReplayPanel)),
  repeat: lazy(() => import("./panels/RepeatPanel").then((file) => file.RepeatPanel)),
  settings: lazy(() => import("./panels/SettingsPanel").then((file) => file.SettingsPanel)),
  log: lazy(() => import("./panels/LogPanel").then((file) => file.LogPanel)),
};

/** What panels were called in the addresses of earlier versions. */
const FORMER: Record<string, string> = { histograms: "layers" };

/**
 * The panels that mean something for a job: clusters have centroids and no layers, filters are of convolutions, and a perceptron makes
 * updates and no loss small.
 */
export function panelsOf(job: (Pick<Schema["JobResource"], "request"> & { kind?: string }) | undefined): string[] {
  if (job?.kind === "slice") return ["settings", "log"]; // it trains nothing; its parent shows it
  const request = job && completed(job);
  const without = [...(request?.task === "clustering" ? ["network", "layers", "slice"] : ["clusters"]), request && hasConvolution(request.model) ? "boundary" : "images", request?.model.kind === "perceptron" ? "slice" : "updates"];
  return Object.keys(PANELS).filter((name) => !without.includes(name));
}

export default function Job() {
  const { id = "" } = useRoute().params;
  const text = jobText();
  const [chosen] = useQuery("tab", "curves");
  // The view is still there while the next one is loaded, whose address has no part of this one.
  const { path } = useLocation();
  const last = useRef("curves");
  if (path === `/jobs/${id}`) last.current = chosen in PANELS ? chosen : (FORMER[chosen] ?? "curves");
  const { job, listen } = useJob(id);
  const [problem, setProblem] = useState<Problem>();
  const [isDescribing, setDescribing] = useState(false);
  const panels = panelsOf(job.value);
  const tab = !job.value || panels.includes(last.current) ? last.current : (panels[0] as string);
  const Shown = PANELS[tab] as Panel;
  const tabs = panels.map((value) => ({ value, label: text.tabs[value as keyof typeof text.tabs] }));
  const change = (found: JobOf) => job.set((before) => newer(before, found));
  const value = job.value;
  const badge = value && (
    <>
      <StateBadge state={value.state} />
      {value.tags.map((tag) => (
        <a key={tag} class="job-tag" href={`/jobs?tag=${encodeURIComponent(tag)}`}>
          {tag}
        </a>
      ))}
      <button type="button" class="quiet small" aria-label={text.edit} title={text.edit} onClick={() => setDescribing(true)}>
        ✎
      </button>
    </>
  );
  return (
    <Page
      title={value?.name ?? id}
      above={<a href="/jobs">{appText().jobs}</a>}
      badge={badge}
      actions={value && <Actions job={value} onChange={change} onProblem={setProblem} />}
    >
      <ProblemNotice problem={problem} />
      <Loaded resource={job}>
        {(found) => (
          <EventsOfJob.Provider value={listen}>
            <Head job={found} />
            <Tabs label={text.parts} name="tab" tabs={tabs} current={tab} />
            <ErrorBoundary key={tab}>
              <Shown job={found} />
            </ErrorBoundary>
          </EventsOfJob.Provider>
        )}
      </Loaded>
      {isDescribing && value && <Describe job={value} onChange={change} onClose={() => setDescribing(false)} />}
    </Page>
  );
}
