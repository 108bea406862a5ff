import { beforeEach, describe, expect, it } from "vitest";
import { evidenceName, ruleName } from "~/text/diagnosis";
import { chooseLanguage } from "~/text/language";
import { sentence } from "~/views/job/panels/DiagnosisPanel";
import { changeOf, formFor, patchBetween } from "~/views/job/panels/patches";

beforeEach(() => chooseLanguage("en"));

const request = { dataset_id: "ds_1", name: "first", target: "y", model: { kind: "mlp", hidden: [{ units: 16 }], bias: true }, optimizer: { kind: "adam", learning_rate: 0.1, beta1: 0.9 }, early_stopping: null, class_weight: {}, epochs: 40 };
const job = { id: "job_1", request };

describe("the change that a finding suggests", () => {
  it("is what its body has otherwise", () => {
    expect(patchBetween(request, { ...request, name: "second", epochs: 80, optimizer: { kind: "adam", learning_rate: 0.5, beta1: 0.9 } })).toEqual({ epochs: 80, optimizer: { learning_rate: 0.5 } });
    expect(patchBetween(request, { model: { kind: "logistic_regression" } })).toEqual({ model: { kind: "logistic_regression" } });
    expect(changeOf(job, { by: "fork", body: { epoch: "last", overrides: { epochs: 80 } } })).toEqual({ epochs: 80 });
  });
  it("is laid over the job in the form", () => {
    const { early_stopping: _none, class_weight: _empty, ...body } = request;
    const address = new URL(formFor(job, { ...body, epochs: 80 }), "http://here");
    expect([...address.searchParams]).toEqual([["from", "job_1"], ["set", '{"epochs":80}']]);
  });
  it("is a request of its own where it leaves out what the job has", () => {
    const address = new URL(formFor(job, { dataset_id: "ds_1", name: "first", target: "y", model: { kind: "logistic_regression" } }), "http://here");
    expect([...address.searchParams]).toEqual([["dataset", "ds_1"], ["set", '{"target":"y","model":{"kind":"logistic_regression"}}']]);
  });
});

it("is told in sentences", () => {
  expect(["the loss rose", "Set it to 0.4 or lower.", ""].map(sentence)).toEqual(["The loss rose.", "Set it to 0.4 or lower.", ""]);
});

it("names rules and numbers, those that it does not know as they are called", () => {
  expect([ruleName("PLATEAU"), ruleName("A_NEW_RULE")]).toEqual(["Plateau", "A_NEW_RULE"]);
  expect(["largest_rate", "r2_without_learning", "accuracy_of_neighbors", "validation_accuracy"].map(evidenceName)).toEqual([
    "largest learning rate",
    "R² of answering every row the same",
    "Accuracy of the nearest neighbors",
    "Accuracy (validation)",
  ]);
});
