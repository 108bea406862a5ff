/** The table of jobs: of ten thousand rows those are drawn that the window shows. */
import type { Signal } from "@preact/signals";
import { Component } from "preact";
import { useLocation } from "preact-iso";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { jobsText } from "~/text/jobs";
import type { Column, Names } from "./columns";
import { nextOrder, shownRows, type Row } from "./list";

const HEIGHT = 44;
const HEIGHT_OF_CARDS = 108;
const NARROW = "(max-width: 720px)";
/** The rows that are drawn change that many at a time. */
const STEP = 8;

export type Selected = Signal<ReadonlyMap<string, Row>>;

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const changed = () => setMatches(media.matches);
    media.addEventListener("change", changed);
    return () => media.removeEventListener("change", changed);
  }, [query]);
  return matches;
}

/** Which rows the window shows, with some to spare. */
function useShown(frame: { current: HTMLElement | null }, count: number, height: number): [number, number] {
  const measure = useCallback((): [number, number] => {
    const top = frame.current?.getBoundingClientRect().top ?? 0;
    const [first, last] = shownRows(count, height, -top, innerHeight - top);
    return [Math.floor(first / STEP) * STEP, Math.min(count, Math.ceil(last / STEP) * STEP)];
  }, [count, height]);
  const [shown, setShown] = useState<[number, number]>([0, 0]);
  useLayoutEffect(() => {
    let waiting = 0;
    const look = () => {
      waiting = 0;
      const now = measure();
      setShown((before) => (before[0] === now[0] && before[1] === now[1] ? before : now));
    };
    const later = () => void (waiting ||= requestAnimationFrame(look));
    look();
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", later);
    return () => {
      cancelAnimationFrame(waiting);
      removeEventListener("scroll", later);
      removeEventListener("resize", later);
    };
  }, [measure]);
  return [Math.min(shown[0], count), Math.min(shown[1], count)];
}

/** Seconds since the view was opened. */
function useSeconds(): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && setSeconds((before) => before + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  return seconds;
}

interface LineProps {
  row: Row;
  index: number;
  columns: Column[];
  names: Names;
  isSelected: boolean;
  /** The language, in which the row is drawn anew. */
  said: string;
  /** Seconds that have passed, which a running job tells. */
  seconds: number;
  onSelect: (row: Row) => void;
}

class Line extends Component<LineProps> {
  override shouldComponentUpdate(next: LineProps) {
    return (Object.keys(next) as (keyof LineProps)[]).some((name) => next[name] !== this.props[name]);
  }
  override render({ row, index, columns, names, isSelected, onSelect }: LineProps) {
    const text = jobsText();
    return (
      <tr data-index={index} data-id={row.id} aria-rowindex={index + 2} class={isSelected ? "selected" : ""}>
        <td class="select">
          <input type="checkbox" checked={isSelected} aria-label={text.select(row.name ?? row.id)} onChange={() => onSelect(row)} />
        </td>
        {columns.map((column) => (
          <td key={column.key} class={`of-${column.key}${column.isNumber ? " number" : ""}`} data-title={column.title}>
            {column.cell(row, names)}
          </td>
        ))}
      </tr>
    );
  }
}

interface Props {
  rows: Row[];
  total: number;
  columns: Column[];
  names: Names;
  order: string;
  onOrder: (order: string) => void;
  selected: Selected;
  need: (index: number) => void;
}

export function Table({ rows, total, columns, names, order, onOrder, selected, need }: Props) {
  const text = jobsText();
  const { route } = useLocation();
  const isNarrow = useMedia(NARROW);
  const height = isNarrow ? HEIGHT_OF_CARDS : HEIGHT;
  const body = useRef<HTMLTableSectionElement>(null);
  const [first, last] = useShown(body, total, height);
  const seconds = useSeconds();
  const focusing = useRef<number | null>(null);
  const drawn = rows.slice(first, last);

  useEffect(() => need(last), [last, need]);
  useEffect(() => {
    if (focusing.current === null) return;
    const link = body.current?.querySelector<HTMLElement>(`tr[data-index="${focusing.current}"] .job-name`);
    if (link) {
      focusing.current = null;
      link.focus({ preventScroll: true });
    }
  });

  const onSelect = useCallback((row: Row) => {
    const now = new Map(selected.peek());
    if (!now.delete(row.id)) now.set(row.id, row);
    selected.value = now;
  }, [selected]);

  const goTo = (index: number) => {
    const to = Math.max(0, Math.min(rows.length - 1, index));
    const top = (body.current?.getBoundingClientRect().top ?? 0) + to * height;
    const head = 2 * HEIGHT;
    if (top < head) scrollBy(0, top - head);
    else if (top + height > innerHeight) scrollBy(0, top + height - innerHeight);
    focusing.current = to;
    const link = body.current?.querySelector<HTMLElement>(`tr[data-index="${to}"] .job-name`);
    if (link) {
      focusing.current = null;
      link.focus({ preventScroll: true });
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const line = (event.target as HTMLElement).closest<HTMLElement>("tr[data-index]");
    if (!line || event.altKey || event.ctrlKey || event.metaKey) return;
    const index = Number(line.dataset.index);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    const isLink = (event.target as HTMLElement).classList.contains("job-name");
    if (event.key in steps) goTo(index + (steps[event.key] as number));
    else if (event.key === " " && isLink) onSelect(rows[index] as Row);
    else if (event.key === "Enter" && (event.target as HTMLElement).matches("input")) route(`/jobs/${line.dataset.id}`);
    else return;
    event.preventDefault();
  };

  const areAll = rows.length > 0 && rows.every((row) => selected.value.has(row.id));
  const selectAll = () => (selected.value = areAll ? new Map() : new Map(rows.map((row) => [row.id, row])));
  const ordered = order.replace(/^-/, "");
  const direction = order.startsWith("-") ? "descending" : "ascending";
  return (
    <table class={`jobs${isNarrow ? " cards" : ""}`} aria-rowcount={total + 1} aria-describedby="jobs-keys">
      <thead>
        <tr aria-rowindex={1}>
          <th class="select" scope="col">
            <input type="checkbox" checked={areAll} aria-label={text.selectAll} onChange={selectAll} />
          </th>
          {columns.map((column) => (
            <th key={column.key} scope="col" class={`of-${column.key}${column.isNumber ? " number" : ""}`} aria-sort={column.order === ordered ? direction : undefined}>
              {column.order ? (
                <button type="button" class="order" onClick={() => onOrder(nextOrder(order, column.order as string, column.isLowerFirst ?? false))}>
                  {column.title}
                  <span aria-hidden="true">{column.order === ordered ? (direction === "descending" ? " ↓" : " ↑") : ""}</span>
                </button>
              ) : (
                column.title
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={body} onKeyDown={onKeyDown}>
        {first > 0 && <tr class="space" aria-hidden="true" style={{ height: `${first * height}px` }} />}
        {drawn.map((row, offset) => (
          <Line key={row.id} row={row} index={first + offset} columns={columns} names={names} isSelected={selected.value.has(row.id)} said={text.create} seconds={row.started_at && !row.done ? seconds : 0} onSelect={onSelect} />
        ))}
        {first + drawn.length < total && (
          <tr class="space" style={{ height: `${(total - first - drawn.length) * height}px` }}>
            <td colSpan={columns.length + 1} class="muted">
              {first + drawn.length < last ? text.loading : ""}
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}
