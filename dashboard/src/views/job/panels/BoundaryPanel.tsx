import type { Schema } from "~/api/client";

export function BoundaryPanel({ job }: { job: Schema["JobResource"] }) {
  return <p>{job.id}</p>;
}
