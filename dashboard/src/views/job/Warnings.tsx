/** What is worth a look in a job, each with what to do. */
import { Notice } from "~/elements/Notice";
import { jobText } from "~/text/job";
import type { Job } from "./live";

type Change = { [name: string]: string | number | Change };

/** Fields that warnings advise to set, with what a value of theirs looks like in the text, whatever its language. */
const ADVISED: [path: string, value: RegExp][] = [
  ["preprocessing.scaling", /^standard\b/],
  ["preprocessing.target_scaling", /^standard\b/],
  ["optimizer.learning_rate", /^\d[\d.e+-]*/],
  ["regularization.clip_norm", /^\d[\d.e+-]*/],
];
const BETWEEN = /^\W+\p{L}+\s+/u;

/** The change that a warning's text advises first, as a JSON merge patch of the request: "set x.y to z", in either language. */
export function advised(detail: string): Change | null {
  const found = ADVISED.flatMap(([path, value]) => {
    const place = detail.indexOf(path);
    const match = place < 0 ? null : value.exec(detail.slice(place + path.length).replace(BETWEEN, ""));
    return match ? [{ path, place, value: match[0].replace(/\.$/, "") }] : [];
  }).sort((one, other) => one.place - other.place)[0];
  if (!found) return null;
  const given = Number(found.value);
  return found.path.split(".").reduceRight<string | number | Change>((inner, name) => ({ [name]: inner }), Number.isNaN(given) ? found.value : given) as Change;
}

/** The address of the form, filled in as the job was, with a change: within the kind (of optimizer, …) that the job has. */
export function formLike(job: Pick<Job, "id" | "request">, change: Change | null): string {
  if (!change) return `/jobs/new?from=${job.id}`;
  const whole = Object.entries(change).map(([name, inner]) => {
    const kind = (job.request[name] as { kind?: string } | null | undefined)?.kind;
    return [name, typeof inner === "object" && kind ? { kind, ...inner } : inner];
  });
  return `/jobs/new?from=${job.id}&set=${encodeURIComponent(JSON.stringify(Object.fromEntries(whole)))}`;
}

/** Warnings that tell how a run ended or what was chosen, and ask for nothing. */
const TOLD_ONLY = ["EARLY_STOPPED", "TASK_GUESSED", "NO_KERNEL"];
/** Warnings whose remedy lies in the data. */
const OF_DATA = ["CORRECTION_LEFT_OUT", "INDEX_COLUMN", "READ_AS", "NUMBERS_AS_WORDS", "MIXED_TYPES", "DECLARED_QUESTION_MARK", "ENCODING"];

export function Warnings({ job }: { job: Job }) {
  const text = jobText().warnings;
  return (
    <>
      {job.warnings.map(({ code, detail, column }, k) => {
        const change = advised(detail);
        const link = OF_DATA.includes(code) ? { href: `/datasets/${job.dataset_id}`, label: text.toDataset } : { href: formLike(job, change), label: change ? text.withChange : text.again };
        const isTold = TOLD_ONLY.includes(code);
        return (
          <Notice key={`${code}-${k}`} kind={isTold ? "information" : "warning"} actions={!isTold && <a class="button small" href={link.href}>{link.label}</a>}>
            {column && !detail.includes(column) && <code>{column}: </code>}
            {detail} <span class="muted small">{code}</span>
          </Notice>
        );
      })}
    </>
  );
}
