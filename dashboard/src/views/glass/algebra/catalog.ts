/** Formulas of the catalog with numbers: activations, losses, optimizers. An entry that is added works by itself. */
import { clauses } from "./parse";
import { evaluate, putIn, type Given } from "./work";
import { write } from "./write";
import type { Clause } from "./tree";

export interface Entry {
  formula: string;
  derivative?: string | null;
}

/** A line of working: what stands on the left, the numbers put in, and what they come to. */
export interface Line {
  left: string;
  numbers: string;
  value: number;
}

const LETTERS: Record<string, string> = {
  α: "\\alpha", β: "\\beta", γ: "\\gamma", δ: "\\delta", Δ: "\\Delta", ε: "\\epsilon", η: "\\eta", λ: "\\lambda", ρ: "\\rho", "₁": "_1", "₂": "_2",
};
const NAMES = /^(alpha|beta|gamma|delta|epsilon|eta|lambda|rho)(_\d)?$/;

/** The symbol of a field, by its name or as its description says it; null where it has none. */
export function symbolOf(name: string, description: string): string | null {
  if (NAMES.test(name)) return `\\${name}`;
  const found = /([α-ωΔ])([₁₂]?)(?![α-ω])/u.exec(description);
  if (!found) return null;
  return (LETTERS[found[1]!] ?? "") + (LETTERS[found[2]!] ?? "") || null;
}

/** The numbers of an entry's own fields, by their symbols. */
export function ownNumbers(fields: Record<string, { description: string; value: unknown }>): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, { description, value }] of Object.entries(fields)) {
    const symbol = symbolOf(name, description);
    if (symbol && typeof value === "number") found[symbol] = value;
  }
  return found;
}

const lineOf = (clause: Clause, given: Given): Line => ({ left: clause.left, numbers: putIn(clause.right, given, write), value: evaluate(clause.right, given) });

/** A line, or null where the formula has symbols that no number is known for. */
function attempted(clause: Clause | undefined, given: Given): Line | null {
  if (!clause) return null;
  try {
    return lineOf(clause, given);
  } catch {
    return null;
  }
}

/** An activation, or its slope, at z. */
export function activationWork(entry: Entry, of: "value" | "slope", z: number, a: number, own: Record<string, number>): Line | null {
  const numbers: Record<string, number> = { ...own, z, f: a };
  for (const clause of clauses(entry.formula)) {
    const line = /^[a-z]$/.test(clause.left) && attempted(clause, { numbers });
    if (line) numbers[clause.left] = line.value;
  }
  return attempted(clauses(of === "value" ? entry.formula : (entry.derivative ?? ""))[0], { numbers });
}

export interface Row {
  z: number[];
  y: number[];
  p: number[];
}

function givenRow(entry: Entry, row: Row, own: Record<string, number>): Given {
  const given: Required<Given> = {
    numbers: { ...own, k: row.z.length },
    lists: { z: row.z, y: row.y, p: row.p },
    indices: { y: row.y.indexOf(Math.max(...row.y)) },
    count: row.z.length,
  };
  for (const clause of clauses(entry.formula)) {
    const found = /^([a-z])_j$/.exec(clause.left);
    if (!found || found[1]! in given.lists) continue;
    const lines = row.z.map((_, j) => attempted(clause, { ...given, indices: { ...given.indices, j } }));
    if (lines.every((line) => line !== null)) given.lists[found[1]!] = lines.map((line) => line.value);
  }
  return given;
}

/** What a row costs. */
export function lossWork(entry: Entry, row: Row, own: Record<string, number>): Line | null {
  return attempted(clauses(entry.formula)[0], givenRow(entry, row, own));
}

/** The slope of what a row costs, by the raw output j. */
export function lossSlopeWork(entry: Entry, row: Row, own: Record<string, number>, j: number): Line | null {
  const given = givenRow(entry, row, own);
  const found = clauses(entry.derivative ?? "");
  const ofClass = found.find((clause) => clause.left.includes("z_y"));
  const chosen = ofClass && given.indices?.y === j ? ofClass : found[0];
  return attempted(chosen, { ...given, indices: { ...given.indices, j } });
}

export interface Before {
  theta: number;
  gradient: number;
  rate: number;
  /** Counted from 1. */
  step: number;
  /** The optimizer's vectors before the step, in their order. */
  state: number[];
}

/** A step of an optimizer for one parameter: every line in its order, the last of which gives θ. Null where a symbol is unknown. */
export function optimizerWork(entry: Entry, before: Before, own: Record<string, number>): Line[] | null {
  const numbers: Record<string, number> = { ...own, "\\theta": before.theta, g: before.gradient, "\\eta": before.rate, t: before.step };
  const steps = clauses(entry.formula);
  const moved = [...new Set(steps.filter((clause) => clause.isAssignment && clause.left !== "\\theta").map((clause) => clause.left))];
  moved.forEach((name, slot) => (numbers[name] = before.state[slot] ?? 0));
  const lines: Line[] = [];
  for (const clause of steps) {
    const line = attempted(clause, { numbers });
    if (!line) return null;
    numbers[clause.left] = line.value;
    lines.push(line);
  }
  return lines.some((line) => line.left === "\\theta") ? lines : null;
}

/** The symbols of an optimizer's vectors, in the order of its slots. */
export function slotSymbols(entry: Entry): string[] {
  return [...new Set(clauses(entry.formula).filter((clause) => clause.isAssignment && clause.left !== "\\theta").map((clause) => clause.left))];
}
