/** The latest jobs as they go on. */
import { useEffect } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { watchAll, type ListEvent } from "~/api/stream";
import { useResource } from "~/state/resource";

export type Row = Schema["JobSummary"];

export const MOST = 6;

/** The latest jobs once this has happened; null where they are to be read anew. */
export function withEvent(rows: Row[], event: ListEvent): Row[] | null {
  if (event.event === "reset") return null;
  const { id } = event.data;
  if (event.event === "deleted") return rows.some((row) => row.id === id) ? null : rows;
  if (rows.some((row) => row.id === id)) return rows.map((row) => (row.id === id ? { ...row, ...event.data } : row));
  if (event.event === "progress" || event.data.kind !== "training") return rows;
  const oldest = rows[MOST - 1];
  if (oldest && event.data.created_at < oldest.created_at) return rows;
  return [event.data, ...rows].sort((one, other) => (one.created_at < other.created_at ? 1 : -1)).slice(0, MOST);
}

export function useLatestJobs() {
  const jobs = useResource("home:jobs", async (signal) => {
    const query = { view: "brief", page_size: MOST } as const;
    return (await body(api.GET("/v1/jobs", { params: { query }, signal }))).items as Row[];
  });
  const { set, reload } = jobs;
  useEffect(
    () =>
      watchAll((event) =>
        set((before) => {
          const after = before && withEvent(before, event);
          if (after === null) reload();
          return after ?? before;
        }),
      ),
    [set, reload],
  );
  return jobs;
}
