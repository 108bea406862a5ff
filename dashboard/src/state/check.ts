/** What the API would make of a request: asked shortly after each change, without storing anything. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Schema } from "~/api/client";
import { asProblem, type Problem } from "~/api/problem";
import { language } from "~/text/language";
import { signedIn } from "./session";

export interface Checked {
  /** The last request that was good, as the API completed it. */
  estimate: Schema["Estimate"] | undefined;
  /** What is wrong with the present request. */
  problem: Problem | undefined;
  isChecking: boolean;
  /** Whether the answer is about the request as it is now. */
  isCurrent: boolean;
}

const QUIET_MILLISECONDS = 250;

type Ask = (signal: AbortSignal) => Promise<Schema["Estimate"]>;

/**
 * `key` is the request as text; null asks nothing. `despite` may ask for something near where there is a problem, so that the
 * page knows more than what is wrong.
 */
export function useCheck(key: string | null, ask: Ask, despite?: (problem: Problem, signal: AbortSignal) => Promise<Schema["Estimate"]> | undefined): Checked {
  const [state, setState] = useState<{ key: string | null; estimate?: Schema["Estimate"]; problem?: Problem }>({ key: null });
  const latest = useRef({ ask, despite });
  latest.current = { ask, despite };
  const read = language.value;
  const asked = key && `${read} ${signedIn.value} ${key}`;
  useEffect(() => {
    if (asked === null) {
      setState({ key: null });
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      latest.current.ask(abort.signal).then(
        (estimate) => !abort.signal.aborted && setState({ key: asked, estimate }),
        async (thrown) => {
          const problem = asProblem(thrown);
          const near = await latest.current.despite?.(problem, abort.signal)?.catch(() => undefined);
          if (!abort.signal.aborted) setState((before) => ({ key: asked, estimate: near ?? before.estimate, problem }));
        },
      );
    }, QUIET_MILLISECONDS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [asked]);
  const isCurrent = state.key === asked;
  return { estimate: state.estimate, problem: isCurrent ? state.problem : undefined, isChecking: asked !== null && !isCurrent, isCurrent };
}
