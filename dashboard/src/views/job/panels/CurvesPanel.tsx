import type { Schema } from "~/api/client";

export function CurvesPanel({ job }: { job: Schema["JobResource"] }) {
  return <p>{job.id}</p>;
}
