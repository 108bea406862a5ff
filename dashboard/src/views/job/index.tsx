/** One job: how it goes, what it has learned, and what can be done with it. */
import { ErrorBoundary, lazy, useRoute } from "preact-iso";
import type { ComponentType } from "preact";
import { api, body, type Schema } from "~/api/client";
import { Loaded } from "~/elements/Notice";
import { Page } from "~/elements/Page";
import { StateBadge } from "~/elements/StateBadge";
import { Tabs } from "~/elements/Tabs";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { appText } from "~/text/app";
import { jobText } from "~/text/job";

type Panel = ComponentType<{ job: Schema["JobResource"] }>;

const PANELS: Record<string, Panel> = {
  curves: lazy(() => import("./panels/CurvesPanel").then((file) => file.CurvesPanel)),
  network: lazy(() => import("./panels/NetworkPanel").then((file) => file.NetworkPanel)),
  histograms: lazy(() => import("./panels/HistogramsPanel").then((file) => file.HistogramsPanel)),
  boundary: lazy(() => import("./panels/BoundaryPanel").then((file) => file.BoundaryPanel)),
  evaluation: lazy(() => import("./panels/EvaluationPanel").then((file) => file.EvaluationPanel)),
  settings: lazy(() => import("./panels/SettingsPanel").then((file) => file.SettingsPanel)),
  log: lazy(() => import("./panels/LogPanel").then((file) => file.LogPanel)),
};

export default function Job() {
  const { id = "" } = useRoute().params;
  const text = jobText();
  const [chosen] = useQuery("tab", "curves");
  const tab = chosen in PANELS ? chosen : "curves";
  const job = useResource(`job:${id}`, (signal) => body(api.GET("/v1/jobs/{job_id}", { params: { path: { job_id: id } }, signal })));
  const Shown = PANELS[tab] as Panel;
  const tabs = Object.keys(PANELS).map((value) => ({ value, label: text.tabs[value as keyof typeof text.tabs] }));
  return (
    <Page title={job.value?.name ?? id} above={<a href="/jobs">{appText().jobs}</a>} badge={job.value && <StateBadge state={job.value.state} />}>
      <Loaded resource={job}>
        {(value) => (
          <>
            <Tabs label={text.parts} name="tab" tabs={tabs} current={tab} />
            <ErrorBoundary>
              <Shown key={tab} job={value} />
            </ErrorBoundary>
          </>
        )}
      </Loaded>
    </Page>
  );
}
