/** What every form for a job is built from, and what the API would make of its request. */
import { useMemo } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { useResource } from "~/state/resource";
import type { Catalog } from "./form";
import { fieldsOf, type FieldShape, type JsonSchema } from "./schema";
import type { JsonObject } from "./values";

export interface JobFields {
  fields: FieldShape[];
  choices: Schema["ModelChoices"][];
  /** Pointers to what a fork keeps as it is. */
  fixed: string[];
}

export function useJobSchema() {
  const schema = useResource("job-schema", (signal) => body(api.GET("/v1/jobs/schema", { signal })));
  const catalog = useResource("catalog", (signal) => body(api.GET("/v1/catalog", { signal })));
  const found = schema.value;
  const known = useMemo<JobFields | undefined>(() => found && { fields: fieldsOf(found.schema as JsonSchema), choices: found.choices, fixed: found.fixed }, [found]);
  return { known, catalog: catalog.value as Catalog | undefined, problem: schema.problem ?? catalog.problem };
}

/** The request as the API takes it: its schema was read while the page runs, so that the compiler knows less of it. */
export const sendable = (request: JsonObject) => request as unknown as Schema["JobRequest"];

export async function estimateOf(request: JsonObject, signal: AbortSignal): Promise<Schema["Estimate"]> {
  const answer = await body(api.POST("/v1/jobs", { params: { query: { validate_only: true } }, body: sendable(request), signal }));
  return answer as unknown as Schema["Estimate"];
}
