/** Which model to begin with, and why. */
export type Reason = "fewNumbers" | "anyShape";

const FEW_ROWS = 200;

/** A line is easy to read and hard to overfit where numbers are learned from few rows; a network does every task. */
export function suggested(task: string | undefined, rows: number, hasArrays: boolean): { model: string; reason: Reason } {
  if (task === "regression" && rows < FEW_ROWS && !hasArrays) return { model: "linear_regression", reason: "fewNumbers" };
  return { model: "mlp", reason: "anyShape" };
}
