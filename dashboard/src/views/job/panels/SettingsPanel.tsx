import type { Schema } from "~/api/client";

export function SettingsPanel({ job }: { job: Schema["JobResource"] }) {
  return <p>{job.id}</p>;
}
