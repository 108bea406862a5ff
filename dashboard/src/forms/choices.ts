/** What is left to choose for a model, and what changes when another is chosen. */
import { at, kindOf, unchanged, type Json, type JsonObject } from "./values";

export interface Choices {
  model: string;
  solver: string | null;
  task: string;
  losses: string[];
  without: string[];
}

/** The choices of the model and task; of the model alone where the task is not known. */
export function choicesOf(all: Choices[], model: Json | undefined, solver: Json | undefined, task: Json | undefined): Choices | undefined {
  const kind = kindOf(model);
  const ofKind = all.filter((choices) => choices.model === kind);
  const ofSolver = ofKind.filter((choices) => choices.solver === null || choices.solver === solver);
  const rest = ofSolver.length ? ofSolver : ofKind;
  return rest.find((choices) => choices.task === task) ?? rest[0];
}

/** Whether models of the kind have no target, whatever else is chosen. */
export function isTargetless(all: Choices[], model: Json | undefined): boolean {
  return choicesOf(all, model, undefined, undefined)?.without.includes("/target") ?? false;
}

/**
 * The changes without those that mean nothing under the choices, and the names of what was left out. Where the model is what
 * was chosen last, a task that it does not do is left out, too.
 */
export function settled(changes: JsonObject, choices: Choices | undefined, isOtherModel = false): { changes: JsonObject; left: string[] } {
  let kept = changes;
  const left: string[] = [];
  const loss = kindOf(changes.loss);
  const pointers = [
    ...(choices?.without ?? []),
    ...(loss && choices && !choices.losses.includes(loss) ? ["/loss"] : []),
    ...(isOtherModel && choices && choices.task !== changes.task ? ["/task"] : []),
  ];
  for (const pointer of new Set(pointers)) {
    const path = pointer.slice(1).split("/");
    if (at(kept, path) === undefined) continue;
    kept = unchanged(kept, path);
    left.push(path.join("."));
  }
  return { changes: kept, left };
}
