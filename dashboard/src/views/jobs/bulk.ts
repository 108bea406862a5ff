/** The same done to several jobs: a few at a time, each for itself. */
import { api, body } from "~/api/client";
import { asProblem, type Problem } from "~/api/problem";
import type { Row } from "./list";

const AT_ONCE = 4;

export interface Outcome {
  done: Row[];
  failed: { row: Row; problem: Problem }[];
}

/** Do it to all; what fails for one keeps no other from it. */
export async function toEach(rows: readonly Row[], act: (row: Row) => Promise<unknown>): Promise<Outcome> {
  const outcome: Outcome = { done: [], failed: [] };
  const left = [...rows];
  const work = async () => {
    for (let row = left.shift(); row; row = left.shift()) {
      try {
        await act(row);
        outcome.done.push(row);
      } catch (thrown) {
        outcome.failed.push({ row, problem: asProblem(thrown) });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcome;
}

const params = (row: Row) => ({ path: { job_id: row.id } });
export const cancel = (row: Row) => body(api.POST("/v1/jobs/{job_id}/cancel", { params: params(row) }));
export const remove = (row: Row) => body(api.DELETE("/v1/jobs/{job_id}", { params: params(row) }));
