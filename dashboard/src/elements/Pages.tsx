/** Steps through a long list, a page at a time. */
import { datasetText } from "~/text/dataset";
import { integer } from "~/text/format";

interface Props {
  first: number;
  size: number;
  total: number;
  onFirst: (first: number) => void;
  /** The number of the first of all: rows of a dataset are counted from 0. */
  base?: number;
}

export function Pages({ first, size, total, onFirst, base = 0 }: Props) {
  const text = datasetText();
  if (total <= size && first === 0) return null;
  return (
    <nav class="row pages" aria-label={text.row}>
      <button type="button" class="small" disabled={first === 0} onClick={() => onFirst(Math.max(0, first - size))}>
        ‹ {text.previous}
      </button>
      <span class="muted small" role="status">
        {text.pageOf(integer(base + first), integer(base + Math.min(total, first + size) - 1), integer(total))}
      </span>
      <button type="button" class="small" disabled={first + size >= total} onClick={() => onFirst(first + size)}>
        {text.next} ›
      </button>
    </nav>
  );
}
