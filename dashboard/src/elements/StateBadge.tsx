import { appText } from "~/text/app";

/** A job's state, told by word, sign and colour. */
export function StateBadge({ state }: { state: string }) {
  const words = appText().states as Record<string, string>;
  return <span class={`state ${state}`}>{words[state] ?? state}</span>;
}

/** How far something has come; `value` from 0 to 1, NaN where that is not known. */
export function Progress({ value, label }: { value: number; label: string }) {
  return Number.isFinite(value) ? <progress value={value} max={1} aria-label={label} /> : <progress aria-label={label} />;
}
