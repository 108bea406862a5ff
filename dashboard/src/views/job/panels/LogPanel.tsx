import type { Schema } from "~/api/client";

export function LogPanel({ job }: { job: Schema["JobResource"] }) {
  return <p>{job.id}</p>;
}
