import { describe, expect, it } from "vitest";
import { addressed, read, withoutColumns } from "~/views/new-job/request";
import { suggested } from "~/views/new-job/suggest";

describe("the address of a new job", () => {
  it("holds what was chosen, whatever it is", () => {
    const wanted = { dataset: "ds_1", changes: { target: "a&b=c 100% ção", model: { kind: "mlp", hidden: [{ units: 3 }] }, seed: null } };
    const url = addressed("/jobs/new?from=job_1&set=x", wanted);
    const query = Object.fromEntries(new URL(url, "http://here").searchParams);
    expect(query.from).toBeUndefined();
    expect(read(query)).toEqual({ ...wanted, isBroken: false });
    expect(addressed(url, { dataset: "", changes: {} })).toBe("/jobs/new");
  });

  it("says that it cannot be read", () => {
    for (const set of ["{", "[1]", "3", "null"]) expect(read({ set })).toEqual({ dataset: "", changes: {}, isBroken: true });
  });
});

it("keeps of a request what is not about columns", () => {
  const changes = { target: "y", features: ["x"], task: "regression", class_weight: "balanced", epochs: 5, split: { group: "g", test: 0.1 } };
  expect(withoutColumns(changes)).toEqual({ epochs: 5, split: { test: 0.1 } });
  expect(withoutColumns({ split: { order: "day" } })).toEqual({});
});

it("suggests a line for few numbers, and a network for everything else", () => {
  expect(suggested("regression", 13, false).model).toBe("linear_regression");
  expect(suggested("regression", 13, true).model).toBe("mlp");
  expect(suggested("regression", 5000, false).model).toBe("mlp");
  expect(suggested("classification", 13, false).model).toBe("mlp");
  expect(suggested(undefined, 13, false).model).toBe("mlp");
});
