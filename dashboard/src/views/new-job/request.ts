/** The request that the page holds: the dataset and what was changed, in the address. */
import { useLocation } from "preact-iso";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isObject, type JsonObject } from "~/forms/values";
import { withQuery } from "~/state/address";

export interface Wanted {
  dataset: string;
  changes: JsonObject;
}

/** What the address says; `isBroken` where its settings cannot be read. */
export function read(query: Record<string, string>): Wanted & { isBroken: boolean } {
  let changes: unknown = {};
  try {
    changes = JSON.parse(query.set ?? "{}");
  } catch {
    changes = null;
  }
  return { dataset: query.dataset ?? "", changes: isObject(changes) ? changes : {}, isBroken: !isObject(changes) };
}

export function addressed(url: string, { dataset, changes }: Wanted): string {
  const set = Object.keys(changes).length ? JSON.stringify(changes) : null;
  return withQuery(url, { dataset: dataset || null, set, from: null });
}

const QUIET_MILLISECONDS = 300;

/** What is wanted, and a way to change it. The address follows, and is followed when the reader goes back. */
export function useWanted() {
  const { query, route } = useLocation();
  const [wanted, setWanted] = useState(() => read(query));
  const written = useRef(textOf(wanted));
  const queried = textOf(read(query));
  useEffect(() => {
    if (queried === written.current) return;
    written.current = queried;
    setWanted(read(query));
  }, [queried]);
  const present = textOf(wanted);
  useEffect(() => {
    if (present === written.current) return undefined;
    const timer = setTimeout(() => {
      written.current = present;
      route(addressed(location.pathname + location.search, wanted), true);
    }, QUIET_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [present]);
  const change = useCallback((next: (before: Wanted) => Wanted) => setWanted((before) => ({ ...next(before), isBroken: false })), []);
  return { wanted, change };
}

const textOf = ({ dataset, changes }: Wanted): string => JSON.stringify([dataset, changes]);

/** The changes without what is about the columns of one dataset. */
export function withoutColumns(changes: JsonObject): JsonObject {
  const { target: _target, features: _features, task: _task, class_weight: _weight, split, ...rest } = changes;
  if (!isObject(split)) return rest;
  const { group: _group, order: _order, ...left } = split;
  return Object.keys(left).length ? { ...rest, split: left } : rest;
}
