import { expect, it } from "vitest";
import { withQuery } from "~/state/address";

it("changes some of the query and leaves the rest", () => {
  expect(withQuery("/jobs/j?tab=curves&scale=log", { scale: null, axis: "epoch" })).toBe("/jobs/j?tab=curves&axis=epoch");
});
