/** The address is the state of a view: it can be shared, reloaded and gone back to. */
import type { Signal } from "@preact/signals";
import { useLocation } from "preact-iso";
import { useCallback } from "preact/hooks";

/** The address with some of its query changed; null leaves a name out. */
export function withQuery(url: string, changes: Record<string, string | null>): string {
  const address = new URL(url, "http://here");
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  return address.pathname + address.search;
}

/**
 * A value that stands in the address under `name`; the usual value leaves it out.
 * `set(value)` replaces the present entry of the browser's history; `set(value, true)` makes a new one.
 */
export function useQuery(name: string, usual = ""): [string, (value: string, isStep?: boolean) => void] {
  const { query, route } = useLocation();
  const set = useCallback(
    (value: string, isStep = false) => {
      const here = location.pathname + location.search;
      const there = withQuery(here, { [name]: value === usual ? null : value });
      if (there !== here) route(there, !isStep);
    },
    [name, usual, route],
  );
  return [query[name] ?? usual, set];
}

/** A choice that stands in the address, and is remembered for addresses that do not name it. Its value is never empty. */
export function useChoice<T extends string>(name: string, kept: Signal<T>): [T, (value: T) => void] {
  const [named, set] = useQuery(name);
  const choose = (value: T) => {
    kept.value = value;
    set(value);
  };
  return [(named || kept.value) as T, choose];
}

/** A point that an address holds, as "1,-2"; null where it holds none. */
export function pointOf(address: string): [number, number] | null {
  const [x, y] = address.split(",").map(Number);
  return address !== "" && Number.isFinite(x) && Number.isFinite(y) ? [x!, y!] : null;
}
