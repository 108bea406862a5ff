/** What the view New job knows: the dataset, the schema, what was changed, and what the API makes of it. */
import { useRef } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import type { Problem } from "~/api/problem";
import { tell } from "~/elements/Toasts";
import { choicesOf, isTargetless as hasNoTarget, settled } from "~/forms/choices";
import type { Form } from "~/forms/form";
import { estimateOf, useJobSchema } from "~/forms/job";
import { at, changed, isObject, isSame, kindOf, shown, unchanged, type Json, type JsonObject, type Path } from "~/forms/values";
import { useCheck } from "~/state/check";
import { useResource } from "~/state/resource";
import { newJobText } from "~/text/new-job";
import { withoutTaken, type Wanted } from "./request";
import { suggested } from "./suggest";

export function useNewJob(wanted: Wanted, change: (next: (before: Wanted) => Wanted) => void) {
  const { dataset: id, changes } = wanted;
  const dataset = useResource(id ? `dataset:${id}` : null, (signal) => body(api.GET("/v1/datasets/{dataset_id}", { params: { path: { dataset_id: id } }, signal })));
  const schema = useJobSchema();
  const isTargetless = hasNoTarget(schema.known?.choices ?? [], changes.model);
  const isPosed = isTargetless || (Array.isArray(changes.target) ? changes.target.length > 0 : Boolean(changes.target));
  const found = useRef<{ of: string; task: string | undefined }>({ of: "", task: undefined });
  const posed = JSON.stringify([id, isTargetless, changes.target, changes.task]);
  const known = found.current.of === posed ? found.current.task : undefined;
  const hasArrays = dataset.value?.columns.some((column) => column.shape) ?? false;
  const suggestion = suggested(known, dataset.value?.rows ?? 0, hasArrays);
  const request: JsonObject = { dataset_id: id, ...changes, model: changes.model ?? suggestion.model };
  const isKnown = useRef(false);
  const despite = (problem: Problem, signal: AbortSignal) => {
    const near = isKnown.current ? undefined : without(request, problem, isTargetless);
    return near && estimateDespite(near, request, signal);
  };
  const checked = useCheck(dataset.value && isPosed ? JSON.stringify(request) : null, (signal) => estimateOf(request, signal), despite);
  // The last completed request tells what the page shows, but no more than its own dataset and target do.
  const completed = isObject(checked.estimate?.request) && sameTable(checked.estimate.request, request) ? (checked.estimate.request as JsonObject) : undefined;
  isKnown.current = completed !== undefined && kindOf(completed.model) === kindOf(request.model);
  if (completed && found.current.of !== posed && checked.isCurrent) found.current = { of: posed, task: String(completed.task) };
  const usual = useRef<JsonObject>({});
  if (completed && checked.isCurrent) usual.current = { ...usual.current, ...Object.fromEntries(Object.entries(completed).filter(([name]) => !(name in changes))) };

  const task = shown(changes, completed, ["task"]) ?? known;
  const choicesNow = (of: JsonObject) => {
    const model = of.model ?? suggestion.model;
    const solver = kindOf(model) === kindOf(completed?.model as Json) ? shown({ model }, completed, ["model", "solver"]) : at(of, ["model", "solver"]);
    return choicesOf(schema.known?.choices ?? [], model, solver ?? undefined, of.task ?? task);
  };
  const choices = choicesNow(changes);
  const set = (given: JsonObject, path: Path) => {
    const next = withoutTaken(given);
    const kept = path[0] === "model" || path[0] === "task" ? settled(next, choicesNow(next), path[0] === "model") : { changes: next, left: [] };
    change((before) => ({ ...before, changes: kept.changes }));
    if (kept.left.length) tell(newJobText().leftOut(kept.left.join(", ")), { undo: () => change((before) => ({ ...before, changes })) });
  };
  const columns = dataset.value?.columns ?? [];
  const classes = classesOf(columns, changes.target);
  const form: Form = {
    changes,
    completed: completed ?? { model: suggestion.model },
    catalog: schema.catalog,
    set: (path, value) => set(changed(changes, completed, path, value, schema.known?.fields), path),
    reset: (path) => set(unchanged(changes, path), path),
    errorAt: (pointer) => checked.problem?.at(pointer),
    isHidden: (pointer) => (choices?.without.includes(pointer) ?? false) && !checked.problem?.at(pointer),
    isOptional: (pointer) => pointer === `/${OPTIONAL}` && !usual.current[OPTIONAL],
    choicesAt: (pointer) => {
      if (pointer === "/loss") return choices?.losses;
      if (COLUMNS.includes(pointer)) return columns.map((column) => column.name);
      return pointer === "/class_weight" ? classes : undefined;
    },
  };
  return { dataset, schema, request, checked, completed, form, choices, suggestion, task: typeof task === "string" ? task : undefined, isTargetless, isPosed, usual: usual.current };
}

const OPTIONAL = "early_stopping";
/** Settings that are the name of a column. */
const COLUMNS = ["/split/group", "/split/order", "/model/compare_with"];

export function sameTable(completed: JsonObject, request: JsonObject): boolean {
  return completed.dataset_id === request.dataset_id && isSame(completed.target ?? null, request.target ?? null);
}

/** The target's classes, where the profile names them all. */
function classesOf(columns: Schema["ColumnResource"][], target: Json | undefined): string[] | undefined {
  const column = columns.find((known) => known.name === target);
  if (!column?.top || column.top.length !== column.distinct) return undefined;
  return column.top.map(({ value }) => String(value));
}

/**
 * Where something is in the way of the first look, the problem stands, but the form still has to know the task and the
 * defaults: it learns them from the same request without what is wrong, and without the rows that have gaps. Undefined
 * where nothing would be left to learn from.
 */
export function without(request: JsonObject, problem: Pick<Problem, "errors">, isTargetless: boolean): JsonObject | undefined {
  const near: JsonObject = { ...request };
  const given = isObject(request.preprocessing) ? request.preprocessing : {};
  for (const { pointer } of problem.errors) {
    const name = pointer.split("/")[1] ?? "";
    if (pointer === GAPS) near.preprocessing = { ...given, missing: "drop" };
    else if (name === "model") near.model = kindOf(request.model) ?? null;
    else delete near[name];
  }
  const isPosed = near.dataset_id && near.model && (near.target || isTargetless);
  return problem.errors.length && isPosed ? near : undefined;
}

/** The estimate of a request that is near the one that was made, with what that one says of gaps. */
async function estimateDespite(near: JsonObject, request: JsonObject, signal: AbortSignal): Promise<Schema["Estimate"]> {
  const estimate = await estimateOf(near, signal);
  const given = isObject(request.preprocessing) ? request.preprocessing : {};
  const preprocessing = { ...(estimate.request.preprocessing as JsonObject), missing: given.missing ?? "error" };
  return { ...estimate, request: { ...estimate.request, preprocessing } };
}

const GAPS = "/preprocessing/missing";
