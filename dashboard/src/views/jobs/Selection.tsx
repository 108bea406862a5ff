/** What can be done with the jobs that are selected. */
import { useState } from "preact/hooks";
import { ask } from "~/elements/Dialog";
import { Notice } from "~/elements/Notice";
import { tell } from "~/elements/Toasts";
import { integer } from "~/text/format";
import { jobsText } from "~/text/jobs";
import { cancel, remove, toEach, type Outcome } from "./bulk";
import { MOST_COMPARED, type Row } from "./list";
import type { Selected } from "./Table";

const CANCELLABLE: readonly string[] = ["queued", "running", "pausing", "paused"];
const MOST_TOLD = 5;

export function Selection({ rows, selected, onDeleted }: { rows: Row[]; selected: Selected; onDeleted: (rows: Row[]) => void }) {
  const text = jobsText();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<Outcome["failed"]>([]);
  const latest = new Map(rows.map((row) => [row.id, row]));
  const chosen = [...selected.value.values()].map((row) => latest.get(row.id) ?? row);
  const running = chosen.filter((row) => CANCELLABLE.includes(row.state));
  const done = chosen.filter((row) => row.done);
  const canCompare = chosen.length >= 2 && chosen.length <= MOST_COMPARED;

  const run = async (these: Row[], title: string, question: string, word: string, act: (row: Row) => Promise<unknown>) => {
    if (!(await ask(title, question, word))) return undefined;
    setBusy(true);
    const outcome = await toEach(these, act);
    setBusy(false);
    setFailed(outcome.failed);
    return outcome;
  };
  const nameOf = (row: Row | undefined) => row?.name ?? row?.id ?? "";
  const onCancel = async () => {
    const question = running.length === 1 ? text.cancelOne(nameOf(running[0])) : text.cancelText(integer(running.length));
    const outcome = await run(running, text.cancelTitle, question, text.cancel, cancel);
    if (outcome?.done.length) tell(text.cancelled(integer(outcome.done.length)));
  };
  const onDelete = async () => {
    const question = done.length === 1 ? text.deleteOne(nameOf(done[0])) : text.deleteText(integer(done.length));
    const outcome = await run(done, text.deleteTitle, question, text.delete, remove);
    if (!outcome) return;
    const gone = new Set(outcome.done.map((row) => row.id));
    selected.value = new Map([...selected.peek()].filter(([id]) => !gone.has(id)));
    onDeleted(outcome.done);
    if (gone.size) tell(text.deleted(integer(gone.size)));
  };
  if (chosen.length === 0 && failed.length === 0) return null;
  return (
    <div class="job-selection" role="region" aria-label={text.selected(integer(chosen.length))}>
      {failed.length > 0 && (
        <Notice kind="error" title={text.someFailed(integer(failed.length))} actions={<button type="button" class="small" onClick={() => setFailed([])}>✕</button>}>
          <ul>
            {failed.slice(0, MOST_TOLD).map(({ row, problem }) => (
              <li key={row.id}>
                {nameOf(row)}: {problem.detail || problem.title}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {chosen.length > 0 && (
        <div class="actions">
          <strong>{text.selected(integer(chosen.length))}</strong>
          {canCompare ? (
            <a class="button primary small" href={`/compare?jobs=${chosen.map((row) => row.id).join(",")}`}>
              {text.compare}
            </a>
          ) : (
            <button type="button" class="small" disabled title={text.compareFew}>
              {text.compare}
            </button>
          )}
          <button type="button" class="small" disabled={busy || running.length === 0} onClick={onCancel}>
            {text.cancel} {running.length > 0 && `(${integer(running.length)})`}
          </button>
          <button type="button" class="danger small" disabled={busy || done.length === 0} onClick={onDelete}>
            {text.delete} {done.length > 0 && `(${integer(done.length)})`}
          </button>
          <button type="button" class="quiet small" onClick={() => (selected.value = new Map())}>
            {text.unselect}
          </button>
        </div>
      )}
    </div>
  );
}
