/** The change that a finding suggests, as the pages that make jobs take it. */
import type { Schema } from "~/api/client";
import { at, isObject, isSame, kindOf, type JsonObject } from "~/forms/values";

type Job = Pick<Schema["JobResource"], "id" | "request">;

/** Fields of a request that are told or taken elsewhere. */
const ELSEWHERE = ["dataset_id", "name", "tags"];

/** What leads from one request to the other, as a merge patch: a part of another kind is named whole. */
export function patchBetween(before: JsonObject, after: JsonObject): JsonObject {
  const patch: JsonObject = {};
  for (const [name, value] of Object.entries(after)) {
    const held = at(before, [name]);
    if (isSame(value, held) || ELSEWHERE.includes(name)) continue;
    patch[name] = isObject(value) && isObject(held) && kindOf(value) === kindOf(held) ? patchBetween(held, value) : value;
  }
  return patch;
}

/** Whether a request leaves to the defaults what another one sets: then it is no change of it, but one of its own. */
const leavesOut = (request: JsonObject, body: JsonObject): boolean =>
  Object.entries(request).some(([name, value]) => value !== null && !(name in body) && !ELSEWHERE.includes(name) && !isSame(value, {}));

/** The address of the form for a new job, filled in as the body of a request asks. */
export function formFor(job: Job, body: JsonObject): string {
  const request = job.request as JsonObject;
  if (!leavesOut(request, body)) return `/jobs/new?from=${job.id}&set=${encodeURIComponent(JSON.stringify(patchBetween(request, body)))}`;
  const { dataset_id, name: _name, tags: _tags, ...wanted } = body;
  return `/jobs/new?dataset=${String(dataset_id)}&set=${encodeURIComponent(JSON.stringify(wanted))}`;
}

/** What a patch changes, in the words of a request. */
export function changeOf(job: Job, patch: { by: string; body: Record<string, unknown> }): JsonObject {
  const body = patch.body as JsonObject;
  if (patch.by === "job") return patchBetween(job.request as JsonObject, body);
  return isObject(body.overrides) ? body.overrides : {};
}
