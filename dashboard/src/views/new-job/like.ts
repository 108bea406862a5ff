/** The settings of a job, as the changes that lead to them from the defaults. */
import { api, body } from "~/api/client";
import { estimateOf } from "~/forms/job";
import type { FieldShape } from "~/forms/schema";
import { difference, isObject, isSame, type JsonObject } from "~/forms/values";

interface Like {
  dataset: string;
  changes: JsonObject;
  /** Whether the whole request had to be taken over. */
  isWhole: boolean;
}

export async function likeJob(id: string, fields: FieldShape[]): Promise<Like> {
  const job = await body(api.GET("/v1/jobs/{job_id}", { params: { path: { job_id: id } } }));
  const { dataset_id, name: _name, ...request } = job.request as JsonObject;
  const dataset = String(dataset_id);
  const signal = new AbortController().signal;
  try {
    const { target, task, model } = request as { target: JsonObject[string]; task: JsonObject[string]; model: JsonObject };
    const plain: JsonObject = { target: target!, model: { kind: model.kind!, ...(model.solver === undefined ? {} : { solver: model.solver }) } };
    const usual = { ...((await estimateOf({ dataset_id: dataset, ...plain }, signal)).request as JsonObject) };
    const named: JsonObject = usual.task === task ? plain : { ...plain, task: task! };
    const base = usual.task === task ? usual : ((await estimateOf({ dataset_id: dataset, ...named }, signal)).request as JsonObject);
    const { name: _none, dataset_id: _same, ...defaults } = base;
    const changes: JsonObject = { ...named, ...difference(request, defaults, fields) };
    const again = (await estimateOf({ dataset_id: dataset, ...changes }, signal)).request;
    if (isObject(again) && isSame({ ...again, name: null }, { ...(job.request as JsonObject), name: null })) return { dataset, changes, isWhole: false };
  } catch {
    // The data is gone, or was read anew since: the form shows what is wrong with the whole request.
  }
  return { dataset, changes: request, isWhole: true };
}

/** The changes with others over them, part by part; one of another kind takes the place of what was there. */
export function withChanges(before: JsonObject, more: JsonObject): JsonObject {
  const merged = { ...before };
  for (const [name, value] of Object.entries(more)) {
    const held = merged[name];
    const isPart = isObject(held) && isObject(value) && (value.kind === undefined || value.kind === held.kind);
    merged[name] = isPart ? withChanges(held, value) : value;
  }
  return merged;
}
