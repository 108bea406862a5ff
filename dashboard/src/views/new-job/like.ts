/** The settings of a job, as the changes that lead to them from the defaults. */
import { api, body } from "~/api/client";
import { estimateOf } from "~/forms/job";
import { KIND, type FieldShape } from "~/forms/schema";
import { difference, isObject, isSame, laidOver, type JsonObject } from "~/forms/values";

interface Like {
  dataset: string;
  changes: JsonObject;
  /** Whether the whole request had to be taken over. */
  isWhole: boolean;
}

/** The settings of the job with a change laid over them, which is a JSON merge patch of its request. */
export async function likeJob(id: string, fields: FieldShape[], change: JsonObject): Promise<Like> {
  const { request, ...like } = await settingsOf(id, fields);
  return { ...like, changes: laidOver(like.changes, request, change, fields) };
}

/** Fields of a model that defaults of the request follow from: its kind, its solver, and a column that is no feature. */
const DECISIVE = [KIND, "solver", "compare_with"];

async function settingsOf(id: string, fields: FieldShape[]): Promise<Like & { request: JsonObject }> {
  const job = await body(api.GET("/v1/jobs/{job_id}", { params: { path: { job_id: id } } }));
  const { dataset_id, name: _name, ...request } = job.request as JsonObject;
  const dataset = String(dataset_id);
  const signal = new AbortController().signal;
  try {
    const { target, task, model } = request as { target: JsonObject[string]; task: JsonObject[string]; model: JsonObject };
    const decisive = Object.fromEntries(Object.entries(model).filter(([name, value]) => DECISIVE.includes(name) && value !== null));
    const plain: JsonObject = { ...(target === null ? {} : { target: target! }), model: decisive };
    const usual = { ...((await estimateOf({ dataset_id: dataset, ...plain }, signal)).request as JsonObject) };
    const named: JsonObject = usual.task === task ? plain : { ...plain, task: task! };
    const base = usual.task === task ? usual : ((await estimateOf({ dataset_id: dataset, ...named }, signal)).request as JsonObject);
    const { name: _none, dataset_id: _same, ...defaults } = base;
    const changes: JsonObject = { ...named, ...difference(request, defaults, fields) };
    const again = (await estimateOf({ dataset_id: dataset, ...changes }, signal)).request;
    if (isObject(again) && isSame({ ...again, name: null }, { ...(job.request as JsonObject), name: null })) return { dataset, changes, isWhole: false, request };
  } catch {
    // The data is gone, or was read anew since: the form shows what is wrong with the whole request.
  }
  return { dataset, changes: request, isWhole: true, request };
}
