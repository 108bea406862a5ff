/** Steps through a long list, a page at a time. */
import { datasetText } from "~/text/dataset";
import { integer } from "~/text/format";

interface Props {
  first: number;
  size: number;
  total: number;
  onFirst: (first: number) => void;
}

export function Pages({ first, size, total, onFirst }: Props) {
  const text = datasetText();
  if (total <= size && first === 0) return null;
  return (
    <nav class="row pages" aria-label={text.row}>
      <button type="button" class="small" disabled={first === 0} onClick={() => onFirst(Math.max(0, first - size))}>
        ‹ {text.previous}
      </button>
      <span class="muted small" role="status">
        {text.pageOf(integer(first), integer(Math.min(total, first + size) - 1), integer(total))}
      </span>
      <button type="button" class="small" disabled={first + size >= total} onClick={() => onFirst(first + size)}>
        {text.next} ›
      </button>
    </nav>
  );
}
