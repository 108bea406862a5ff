/** What a view has asked the API for. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { asProblem, type Problem } from "~/api/problem";
import { language } from "~/text/language";
import { signedIn } from "./session";

export interface Resource<T> {
  /** The last answer; kept while a newer one is awaited under the same key. */
  value: T | undefined;
  problem: Problem | undefined;
  isLoading: boolean;
  reload: () => void;
  /** Replace the value, as when an event brought a newer one. */
  set: (value: T | ((before: T | undefined) => T | undefined)) => void;
}

const RETRY_MILLISECONDS = 2_000;

/**
 * Ask for something, and again whenever `key`, the language or the reader changes. `key` null asks for nothing.
 * Where the API does not answer at all it is asked again by and by.
 */
export function useResource<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const [state, setState] = useState<{ key: string | null; value?: T; problem?: Problem; isLoading: boolean }>({ key, isLoading: key !== null });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const read = language.value;
  const reader = signedIn.value;
  useEffect(() => {
    if (key === null) {
      setState({ key, isLoading: false });
      return;
    }
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    setState((before) => ({ key, value: before.key === key ? before.value : undefined, problem: undefined, isLoading: true }));
    latest.current(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setState({ key, value, isLoading: false });
      },
      (thrown) => {
        if (abort.signal.aborted) return;
        const problem = asProblem(thrown);
        setState((before) => ({ ...before, problem, isLoading: false }));
        if (problem.code === "UNREACHABLE") timer = setTimeout(() => setRound((count) => count + 1), RETRY_MILLISECONDS);
      },
    );
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, round, read, reader]);
  const reload = useCallback(() => setRound((count) => count + 1), []);
  const set = useCallback((value: T | ((before: T | undefined) => T | undefined)) => {
    setState((before) => ({ ...before, value: typeof value === "function" ? (value as (before: T | undefined) => T | undefined)(before.value) : value }));
  }, []);
  const current = state.key === key;
  return { value: current ? state.value : undefined, problem: current ? state.problem : undefined, isLoading: current ? state.isLoading : key !== null, reload, set };
}

/** The resource with its last value that `fits`, while the next is awaited: so that nothing flickers from one key to the next. */
export function useKept<T>(resource: Resource<T>, fits: (value: T) => boolean): Resource<T> {
  const last = useRef<T | undefined>(undefined);
  if (resource.value !== undefined) last.current = resource.value;
  const isKept = resource.value === undefined && resource.isLoading && last.current !== undefined && fits(last.current);
  return isKept ? { ...resource, value: last.current } : resource;
}

/** Something that the reader sets off: `run` does it; meanwhile `isBusy`, afterwards `problem` tells what went wrong. */
export function useAction<A extends unknown[]>(act: (...given: A) => Promise<void>) {
  const [state, setState] = useState<{ isBusy: boolean; problem?: Problem }>({ isBusy: false });
  const run = async (...given: A) => {
    setState({ isBusy: true });
    try {
      await act(...given);
      setState({ isBusy: false });
    } catch (thrown) {
      setState({ isBusy: false, problem: asProblem(thrown) });
    }
  };
  return { ...state, run, forget: () => setState({ isBusy: false }) };
}
