import type { Schema } from "~/api/client";

export function EvaluationPanel({ job }: { job: Schema["JobResource"] }) {
  return <p>{job.id}</p>;
}
