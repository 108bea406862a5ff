import { describe, expect, it } from "vitest";
import { choicesOf, isTargetless, settled, type Choices } from "~/forms/choices";

const ALL: Choices[] = [
  { model: "line", solver: "analytic", task: "regression", losses: ["half"], without: ["/epochs", "/split/stratify"] },
  { model: "line", solver: "descent", task: "regression", losses: ["half", "mae"], without: ["/split/stratify"] },
  { model: "net", solver: null, task: "classification", losses: ["entropy"], without: [] },
  { model: "net", solver: null, task: "regression", losses: ["half", "mae"], without: ["/split/stratify"] },
  { model: "groups", solver: null, task: "clustering", losses: [], without: ["/loss", "/target"] },
];

describe("choices", () => {
  it("follow the model, its solver and the task", () => {
    expect(choicesOf(ALL, "line", "descent", "regression")?.without).toEqual(["/split/stratify"]);
    expect(choicesOf(ALL, { kind: "line" }, undefined, "regression")?.solver).toBe("analytic");
    expect(choicesOf(ALL, "net", undefined, "regression")?.losses).toEqual(["half", "mae"]);
    expect(choicesOf(ALL, "none", undefined, "regression")).toBeUndefined();
  });

  it("leave out what means nothing, and name it", () => {
    const changes = { epochs: 5, loss: "entropy", split: { stratify: true, test: 0.1 }, model: "line" };
    expect(settled(changes, ALL[0])).toEqual({ changes: { split: { test: 0.1 }, model: "line" }, left: ["epochs", "split.stratify", "loss"] });
    expect(settled(changes, undefined)).toEqual({ changes, left: [] });
  });

  it("say which models have no target, whatever these are called", () => {
    expect(["line", "net", "groups", "none"].map((model) => isTargetless(ALL, model))).toEqual([false, false, true, false]);
    expect(isTargetless(ALL, { kind: "groups", clusters: 3 })).toBe(true);
  });

  it("leave out the target and the task that another model does not do", () => {
    const changes = { target: "y", task: "classification", model: "groups" };
    expect(settled(changes, choicesOf(ALL, "groups", undefined, "classification"), true)).toEqual({ changes: { model: "groups" }, left: ["target", "task"] });
    const kept = { task: "regression", model: "net" };
    expect(settled(kept, choicesOf(ALL, "net", undefined, "regression"), true)).toEqual({ changes: kept, left: [] });
    // A task that was chosen stands, and the API says which models do it.
    expect(settled({ task: "clustering", model: "net" }, choicesOf(ALL, "net", undefined, "clustering")).left).toEqual([]);
  });
});
