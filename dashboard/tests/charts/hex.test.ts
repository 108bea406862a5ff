import { expect, it } from "vitest";
import { parts } from "~/charts/hex";

it("reads a colour in its long and in its short form", () => {
  expect([parts("#0f1214"), parts("#fff"), parts("#09c")]).toEqual([[15, 18, 20], [255, 255, 255], [0, 153, 204]]);
});
