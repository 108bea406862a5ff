import { describe, expect, it } from "vitest";
import { fieldsOf } from "~/forms/schema";
import type { JsonObject } from "~/forms/values";
import { laidOver } from "~/forms/values";
import { addressed, read, takenColumns, withoutColumns, withoutTaken } from "~/views/new-job/request";
import { suggested } from "~/views/new-job/suggest";
import { sameTable, without } from "~/views/new-job/useNewJob";
import { COMPLETED, SCHEMA } from "../forms/made-up";

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
  expect(withoutColumns({ model: { kind: "groups", clusters: 3, compare_with: "y" } })).toEqual({ model: { kind: "groups", clusters: 3 } });
});

it("takes a column for one thing alone", () => {
  const model = { kind: "groups", compare_with: "label" };
  const requests: JsonObject[] = [{ target: "y" }, { target: ["y", "z"], model: "net" }, { model }];
  expect(requests.map(takenColumns)).toEqual([["y"], ["y", "z"], ["label"]]);
  expect(withoutTaken({ features: ["a", "label"], model })).toEqual({ features: ["a"], model });
  const apart = { features: ["a"], target: "y" };
  expect(withoutTaken(apart)).toBe(apart);
});

describe("a request without a target", () => {
  it("is of the same table as the one that the API completed", () => {
    expect(sameTable({ dataset_id: "ds_1", target: null }, { dataset_id: "ds_1" })).toBe(true);
    expect(sameTable({ dataset_id: "ds_1", target: "y" }, { dataset_id: "ds_1" })).toBe(false);
    expect(sameTable({ dataset_id: "ds_2", target: null }, { dataset_id: "ds_1" })).toBe(false);
  });

  it("teaches the form its defaults in spite of what is wrong, where the model needs none", () => {
    const request = { dataset_id: "ds_1", model: { kind: "groups", clusters: 0 }, epochs: 5 };
    const problem = { errors: [{ pointer: "/model/clusters", detail: "must be positive" }] };
    expect(without(request, problem, true)).toEqual({ ...request, model: "groups" });
    expect(without(request, problem, false)).toBeUndefined();
    expect(without({ ...request, target: "y" }, problem, false)).toEqual({ ...request, target: "y", model: "groups" });
    expect(without(request, { errors: [] }, true)).toBeUndefined();
  });
});

it("suggests a line for few numbers, and a network for everything else", () => {
  expect(suggested("regression", 13, false).model).toBe("linear_regression");
  expect(suggested("regression", 13, true).model).toBe("mlp");
  expect(suggested("regression", 5000, false).model).toBe("mlp");
  expect(suggested("classification", 13, false).model).toBe("mlp");
  expect(suggested(undefined, 13, false).model).toBe("mlp");
});

describe("a change over the settings of a job", () => {
  const lay = (changes: JsonObject, patch: JsonObject) => laidOver(changes, COMPLETED, patch, fieldsOf(SCHEMA));

  it("keeps what it does not name as the job had it, were it a default or not", () => {
    expect(lay({ epochs: 5 }, { optimizer: { kind: "plain", momentum: 0.1 } })).toEqual({ epochs: 5, optimizer: { kind: "plain", learning_rate: 0.05, momentum: 0.1 } });
    expect(lay({ optimizer: { kind: "plain", learning_rate: 0.3 } }, { optimizer: { momentum: 0.1 } })).toEqual({ optimizer: { kind: "plain", learning_rate: 0.3, momentum: 0.1 } });
    expect(lay({}, { split: { test: 0.1 }, epochs: 9 })).toEqual({ split: { test: 0.1 }, epochs: 9 });
  });

  it("takes another kind whole", () => {
    expect(lay({ optimizer: { kind: "plain", learning_rate: 0.3 } }, { optimizer: { kind: "bouncer", bounce: 0.2 } })).toEqual({ optimizer: { kind: "bouncer", bounce: 0.2 } });
  });
});
