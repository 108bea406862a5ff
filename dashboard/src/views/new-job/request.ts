/** The request that the page holds: the dataset and what was changed, in the address. */
import { useLocation } from "preact-iso";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { at, isObject, unchanged, type JsonObject, type Path } from "~/forms/values";
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
  const { target: _target, features: _features, task: _task, class_weight: _weight, ...rest } = changes;
  return OF_COLUMNS.reduce(unchanged, rest);
}

const OF_COLUMNS: Path[] = [["split", "group"], ["split", "order"], ["model", "compare_with"]];

/** The columns that are no features, for another part of the request reads them: targets, and what clusters are compared with. */
export function takenColumns(changes: JsonObject): string[] {
  const { target } = changes;
  return [...(Array.isArray(target) ? target : [target]), at(changes, ["model", "compare_with"])].filter((name) => typeof name === "string");
}

/** The changes without features that another part has taken. */
export function withoutTaken(changes: JsonObject): JsonObject {
  const taken = takenColumns(changes);
  const { features } = changes;
  if (!Array.isArray(features) || !features.some((name) => taken.includes(String(name)))) return changes;
  return { ...changes, features: features.filter((name) => !taken.includes(String(name))) };
}
