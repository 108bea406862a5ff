import type { Schema } from "~/api/client";

export function NetworkPanel({ job }: { job: Schema["JobResource"] }) {
  return <p>{job.id}</p>;
}
