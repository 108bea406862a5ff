import type { Schema } from "~/api/client";

export function HistogramsPanel({ job }: { job: Schema["JobResource"] }) {
  return <p>{job.id}</p>;
}
