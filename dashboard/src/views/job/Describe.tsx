/** A dialog in which a job is renamed and tagged. */
import { useState } from "preact/hooks";
import { api, body } from "~/api/client";
import { Dialog } from "~/elements/Dialog";
import { TextField } from "~/elements/Field";
import { ProblemNotice } from "~/elements/Notice";
import { useAction } from "~/state/resource";
import { appText } from "~/text/app";
import { jobText } from "~/text/job";
import type { Job } from "./live";

/** The tags that a field holds, each once. */
export const tagsIn = (field: string): string[] => [...new Set(field.split(",").map((tag) => tag.trim()).filter(Boolean))];

export function Describe({ job, onChange, onClose }: { job: Job; onChange: (job: Job) => void; onClose: () => void }) {
  const text = jobText().describe;
  const [name, setName] = useState(job.name ?? "");
  const [tags, setTags] = useState(job.tags.join(", "));
  const save = useAction(async () => {
    const changes = { name: name.trim() || null, tags: tagsIn(tags) };
    onChange(await body(api.PATCH("/v1/jobs/{job_id}", { params: { path: { job_id: job.id } }, body: changes })));
    onClose();
  });
  const problem = save.problem;
  const atTags = problem?.errors.find((error) => error.pointer.startsWith("/tags"))?.detail;
  return (
    <Dialog title={text.title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save.run();
        }}
      >
        {problem && !problem.at("/name") && !atTags && <ProblemNotice problem={problem} />}
        <TextField label={text.name} value={name} onChange={setName} error={problem?.at("/name")} />
        <TextField label={text.tags} help={text.tagsHelp} value={tags} onChange={setTags} error={atTags} />
        <div class="actions end">
          <button type="button" onClick={onClose}>
            {appText().cancel}
          </button>
          <button type="submit" class="primary" disabled={save.isBusy}>
            {text.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
