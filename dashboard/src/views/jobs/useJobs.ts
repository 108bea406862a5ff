/** The list of jobs, a page at a time as far as the reader scrolls, kept as it is by what happens meanwhile. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { asProblem, type Problem } from "~/api/problem";
import { watchAll, type ListEvent } from "~/api/stream";
import { withEvents, type Asked, type Loaded, type Row } from "./list";

const PAGE = 200;
const LARGE_PAGE = 1000;
const RETRY_MILLISECONDS = 2_000;
const EMPTY: Loaded = { rows: [], total: 0, changed: 0 };

export interface Jobs extends Loaded {
  problem: Problem | undefined;
  isLoading: boolean;
  /** Have the rows up to that one loaded. */
  need: (index: number) => void;
  /** Read the list again, as far as it was read. */
  reload: () => void;
  /** Take over what the API answered about jobs. */
  take: (events: ListEvent[]) => void;
}

function queryOf(asked: Asked, page_size: number, page_token: string | undefined) {
  return {
    view: "brief",
    page_size,
    page_token,
    total: !page_token,
    order_by: asked.order as "created_at",
    kind: (asked.kind || undefined) as Row["kind"] | undefined,
    state: (asked.state || undefined) as Schema["JobSummary"]["state"] | undefined,
    dataset_id: asked.dataset || undefined,
    model_kind: (asked.model || undefined) as "mlp" | undefined,
    tag: asked.tag || undefined,
    name: asked.name || undefined,
  } as const;
}

export function useJobs(asked: Asked): Jobs {
  const key = JSON.stringify(asked);
  const [state, setState] = useState<{ key: string; loaded: Loaded; isRead: boolean; problem?: Problem }>({ key, loaded: EMPTY, isRead: false });
  const [round, setRound] = useState(0);
  const work = useRef({ asked, wanted: PAGE, token: undefined as string | undefined, isEnd: false, isBusy: false, read: 0, waiting: [] as ListEvent[] });
  const run = useRef<() => void>(() => {});

  useEffect(() => {
    const abort = new AbortController();
    const before = work.current;
    const isSame = JSON.stringify(before.asked) === key;
    const own = { asked, wanted: isSame ? Math.max(PAGE, before.read) : PAGE, token: undefined as string | undefined, isEnd: false, isBusy: false, read: 0, waiting: [] as ListEvent[] };
    work.current = own;
    if (!isSame) setState({ key, loaded: EMPTY, isRead: false });
    let timer: ReturnType<typeof setTimeout> | undefined;
    let first: Loaded = EMPTY;
    const load = async () => {
      if (own.isBusy || own.isEnd || own.read >= own.wanted) return;
      own.isBusy = true;
      try {
        const size = own.wanted - own.read > PAGE ? LARGE_PAGE : PAGE;
        const page = await body(api.GET("/v1/jobs", { params: { query: queryOf(asked, size, own.token) }, signal: abort.signal }));
        const items = page.items as Loaded["rows"];
        own.token = page.next_page_token ?? undefined;
        own.isEnd = !own.token;
        own.read += items.length;
        if (page.total !== null && page.total !== undefined) first = { rows: [], total: page.total, changed: 0 };
        const isFirst = own.read === items.length;
        const missed = own.waiting.splice(0); // they may be newer than what was read
        setState((now) => {
          const base = isFirst ? first : now.loaded;
          const known = new Set(base.rows.map((row) => row.id)); // one that came in by an event may be read, too
          const rows = [...base.rows, ...items.filter((row) => !known.has(row.id))];
          const total = own.isEnd ? rows.length : Math.max(base.total, rows.length);
          return { key, loaded: withEvents({ ...base, rows, total }, missed, asked), isRead: true };
        });
      } catch (thrown) {
        if (abort.signal.aborted) return;
        const problem = asProblem(thrown);
        setState((now) => ({ ...now, problem }));
        own.isBusy = false;
        if (problem.code === "UNREACHABLE") timer = setTimeout(load, RETRY_MILLISECONDS);
        return;
      }
      own.isBusy = false;
      void load();
    };
    run.current = () => void load();
    void load();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, round]);

  const take = useCallback((events: ListEvent[]) => {
    const own = work.current;
    if (own.isBusy) own.waiting.push(...events);
    setState((now) => {
      const loaded = withEvents(now.loaded, events, own.asked);
      return loaded === now.loaded ? now : { ...now, loaded };
    });
  }, []);
  const reload = useCallback(() => setRound((count) => count + 1), []);

  useEffect(() => {
    let events: ListEvent[] = [];
    let frame = 0;
    const stop = watchAll((event) => {
      if (event.event === "reset") reload();
      else {
        events.push(event);
        frame ||= requestAnimationFrame(() => {
          frame = 0;
          take(events);
          events = [];
        });
      }
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, []);

  const need = useCallback((index: number) => {
    const own = work.current;
    if (index < own.wanted) return;
    own.wanted = index + PAGE;
    run.current();
  }, []);
  const isCurrent = state.key === key;
  return { ...(isCurrent ? state.loaded : EMPTY), problem: isCurrent ? state.problem : undefined, isLoading: !isCurrent || !state.isRead, need, reload, take };
}
