/** Some rows and columns of a dataset. */
import { api, body, type Schema } from "~/api/client";

export type RowsPage = Schema["RowsPage"];

interface Asked {
  columns: string[];
  offset?: number;
  limit?: number;
  /** Each n-th row only. */
  every?: number;
}

export async function rowsOf(dataset: string, { columns, ...asked }: Asked, signal: AbortSignal): Promise<RowsPage> {
  const query = { ...asked, columns: JSON.stringify(columns) };
  const answer = api.GET("/v1/datasets/{dataset_id}/rows", { params: { path: { dataset_id: dataset }, query }, headers: { Accept: "application/json" }, signal });
  return (await body(answer)) as RowsPage;
}
