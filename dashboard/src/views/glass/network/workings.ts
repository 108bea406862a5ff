/** How a number of a network came about: its formula, the formula with the numbers put in, and what it is. */
import type { Part } from "~/charts/network";
import { activationWork, lossSlopeWork, lossWork, optimizerWork, type Entry, type Line } from "../algebra/catalog";
import { write } from "../algebra/write";
import type { Moment, Step } from "./trace";

export interface Working {
  /** LaTeX. */
  formula: string;
  /** LaTeX: the formula with the numbers put in; null where that would not be the whole truth. */
  numbers: string | null;
  value: number;
}

/** The numbers of what the network is made of, by their symbols: α of a level's activation, δ of the loss, γ of the optimizer. */
export interface Own {
  activations: Record<string, number>[];
  loss: Record<string, number>;
  optimizer: Record<string, number>;
}

const MOST_TERMS = 4;
const CLOSE = 1e-5;
/** Longer lines are broken. */
const LINE = 52;

const bracketed = (value: number): string => (value < 0 ? `(${write(value)})` : write(value));
const at = (symbol: string, level: number, ...places: number[]): string => `${symbol}^{(${level})}_{${places.map((place) => place + 1).join(places.some((place) => place > 8) ? "," : "")}}`;
const input = (level: number, unit: number): string => (level === 0 ? `x_{${unit + 1}}` : at("a", level, unit));
const weight = (level: number, from: number, to: number): string => at("w", level, from, to);

/** A sum of products, and terms beside it; long ones are shortened in the middle. */
function sumOf(products: [number, number][], others: number[] = []): { numbers: string; value: number } {
  const terms = [...products.map(([a, b]) => `${bracketed(a)} \\cdot ${bracketed(b)}`), ...others.map(bracketed)];
  const shown = terms.length <= MOST_TERMS + others.length ? terms : [...terms.slice(0, 2), "\\cdots", ...terms.slice(terms.length - 1 - others.length)];
  const lines = shown.join(" + ").length <= LINE ? [shown] : shown.length > 2 ? [shown.slice(0, 2), shown.slice(2)] : shown.map((term) => [term]);
  const value = products.reduce((total, [a, b]) => total + a * b, 0) + others.reduce((total, other) => total + other, 0);
  return { numbers: lines.map((terms) => terms.join(" + ")).join(" \\\\ &\\quad + "), value };
}

/** Numbers are shown only where they come to what the API found: a penalty or a mask may have a hand in it. */
function checked(formula: string, found: { numbers: string; value: number } | null, value: number): Working {
  const agrees = found !== null && (Object.is(found.value, value) || Math.abs(found.value - value) <= CLOSE * Math.max(Math.abs(value), 1e-3) || (Number.isNaN(found.value) && Number.isNaN(value)));
  return { formula, numbers: agrees ? found.numbers : null, value };
}

const rest = (formula: string): string => formula.split(/,\s*\\quad/).slice(1).join(", \\quad");
const lined = (left: string, line: Line | null, entry: string): string => `${left} = ${line ? entry : "f(z)"}`;

/** What the API says of a layer's activation in its own formulas. */
const activationOf = (step: Step, level: number): Entry => ({ formula: rest(step.formula("A", level)), derivative: rest(step.formula("dZ", level)) });
const lossOf = (step: Step): Entry => ({ formula: rest(step.formula("row_losses")), derivative: rest(step.formula("dA", step.levels)) });
const right = (formula: string): string => formula.split(/,\s*\\quad/)[0]!.split(/(?<![<>!\\])=/).slice(1, 2).join("").trim();

function forward(step: Step, part: Part & { kind: "unit" }, row: number, own: Own): Working[] {
  const { layer: level, unit } = part;
  const [before, W, b, z, a] = [step.of("A", level - 1)![row]!, step.of("W", level)!, step.of("b", level)?.[0], step.of("Z", level)![row]![unit]!, step.of("A", level)![row]![unit]!];
  const symbols = before.map((_, from) => `${weight(level, from, unit)} ${input(level - 1, from)}`);
  const shown = symbols.length <= MOST_TERMS ? symbols : [...symbols.slice(0, 2), "\\cdots", symbols[symbols.length - 1]!];
  const sum = sumOf(before.map((value, from) => [W[from]![unit]!, value]), b ? [b[unit]!] : []);
  const entry = activationOf(step, level);
  const line = activationWork(entry, "value", z, a, own.activations[level - 1] ?? {});
  return [
    checked(`${at("z", level, unit)} = ${shown.join(" + ")}${b ? ` + ${at("b", level, unit)}` : ""}`, sum, z),
    checked(lined(at("a", level, unit), line, right(entry.formula)), line, a),
  ];
}

function loss(step: Step, row: number, own: Own): Working[] {
  const [z, y, p] = [step.of("A", step.levels)![row]!, step.of("targets")![row]!, step.of("predictions")![row]!];
  const entry = lossOf(step);
  const losses = step.of("row_losses")![0]!;
  const J = step.number("J")!;
  const mean = { numbers: losses.length === 1 ? write(J, 8) : `\\frac{1}{${losses.length}} \\left(${sumTerms(losses)}\\right)`, value: losses.reduce((total, one) => total + one, 0) / losses.length };
  return [
    ...p.map((value, unit) => ({ formula: `\\hat y_{${unit + 1}} = p_{${unit + 1}}(z), \\quad z_{${unit + 1}} = ${write(z[unit]!)}`, numbers: null, value })).filter((_, unit) => p[unit] !== z[unit]),
    checked(`\\ell_{${row + 1}} = ${right(entry.formula)}`, lossWork(entry, { z, y, p }, own.loss), losses[row]!),
    checked(step.formula("J"), mean, J),
  ];
}

function sumTerms(values: number[]): string {
  const terms = values.map(bracketed);
  return (terms.length <= MOST_TERMS ? terms : [...terms.slice(0, 2), "\\cdots", terms[terms.length - 1]!]).join(" + ");
}

function backward(step: Step, part: Part & { kind: "unit" }, row: number, own: Own): Working[] {
  const { layer: level, unit } = part;
  const [dA, dZ, z, a] = ["dA", "dZ", "Z", "A"].map((name) => step.of(name, level)![row]![unit]!) as [number, number, number, number];
  let slope: Working;
  if (level === step.levels) {
    const rows = step.of("targets")!.length;
    const line = lossSlopeWork(lossOf(step), { z: step.of("A", level)![row]!, y: step.of("targets")![row]!, p: step.of("predictions")![row]! }, own.loss, unit);
    const found = line && { numbers: rows === 1 ? line.numbers : `\\frac{1}{${rows}} \\left(${line.numbers}\\right)`, value: line.value / rows };
    slope = checked(`\\frac{\\partial J}{\\partial ${at("a", level, unit)}} = \\frac{1}{n} \\frac{\\partial \\ell}{\\partial z_{${unit + 1}}}`, found, dA);
  } else {
    const [next, W] = [step.of("dZ", level + 1)![row]!, step.of("W", level + 1)!];
    slope = checked(`\\frac{\\partial J}{\\partial ${at("a", level, unit)}} = \\sum_k ${at("\\delta", level + 1, 0).replace("{1}", "{k}")} w^{(${level + 1})}_{${unit + 1}k}`, sumOf(next.map((value, to) => [value, W[unit]![to]!])), dA);
  }
  const line = activationWork(activationOf(step, level), "slope", z, a, own.activations[level - 1] ?? {});
  const product = line && { numbers: `${bracketed(dA)} \\cdot ${bracketed(line.value)}, \\quad f'(z) = ${line.numbers} = ${write(line.value)}`, value: dA * line.value };
  return [slope, checked(`${at("\\delta", level, unit)} = \\frac{\\partial J}{\\partial ${at("z", level, unit)}} = \\frac{\\partial J}{\\partial ${at("a", level, unit)}} \\cdot f'(${at("z", level, unit)})`, product, dZ)];
}

function slopeOf(step: Step, part: Part & { kind: "weight" | "bias" }): Working {
  const { layer: level, unit } = part;
  const dZ = step.of("dZ", level)!.map((values) => values[unit]!);
  const manyRows = dZ.length > 1 ? "\\sum_{\\text{rows}} " : "";
  const delta = at("\\delta", level, unit);
  if (part.kind === "bias") {
    const found = { numbers: sumTerms(dZ), value: dZ.reduce((total, value) => total + value, 0) };
    return checked(`\\frac{\\partial J}{\\partial ${at("b", level, unit)}} = ${manyRows}${delta}`, found, step.of("db", level)![0]![unit]!);
  }
  const before = step.of("A", level - 1)!.map((values) => values[part.input]!);
  const formula = `\\frac{\\partial J}{\\partial ${weight(level, part.input, unit)}} = ${manyRows}${input(level - 1, part.input)}\\, ${delta}`;
  return checked(formula, sumOf(before.map((value, row) => [value, dZ[row]!])), step.of("dW", level)![part.input]![unit]!);
}

function update(step: Step, before: Step | undefined, part: Part & { kind: "weight" | "bias" }, own: Own): Working[] {
  const { layer: level, unit } = part;
  const letter = part.kind === "bias" ? "b" : "W";
  const of = (from: Step, name: string): number => from.of(`${name}${letter}`, level)![part.kind === "bias" ? 0 : part.input]![unit]!;
  const symbol = part.kind === "bias" ? at("b", level, unit) : weight(level, part.input, unit);
  const [full, value] = [step.formula(`new_${letter}`, level), of(step, "new_")];
  const entry: Entry = { formula: full.split(/,\s*\\quad\s*\\theta = /)[0]! };
  const state = step.slots.map((slot) => (before ? of(before, `${slot}_`) : 0));
  const gradient = of(step, "d") * (step.number("clip") ?? 1);
  const lines = optimizerWork(entry, { theta: of(step, ""), gradient, rate: step.number("learning_rate")!, step: step.t, state }, own.optimizer);
  if (!lines || checked("", lines[lines.length - 1]!, value).numbers === null) return [{ formula: `${symbol} \\colon\\; ${entry.formula}`, numbers: null, value }];
  return lines.map((line, place) => ({
    formula: line.left === "\\theta" ? `${symbol} \\leftarrow ${parted(entry.formula, place).replaceAll("\\theta", symbol)}` : `${line.left} = ${parted(entry.formula, place)}`,
    numbers: line.numbers,
    value: line.value,
  }));
}

/** The right side of the clause at that place, among those that could be read. */
function parted(formula: string, place: number): string {
  const readable = formula.split(/,\s*\\quad/).filter((clause) => !clause.includes("\\nabla"));
  return (readable[place] ?? "").replace(/^.*?(\\leftarrow|=)/, "").trim();
}

/** The workings of a part at a moment, in the order in which they are worked out. */
export function workings(steps: Step[], moment: Moment, part: Part, row: number, own: Own): Working[] {
  const step = steps[moment.step]!;
  if (part.kind === "unit") {
    if (part.layer === 0) return [{ formula: `x_{${part.unit + 1}}`, numbers: null, value: step.of("A")![row]![part.unit]! }];
    const isReached = moment.phase === "backward" && part.layer >= moment.level;
    if (isReached) return backward(step, part, row, own);
    if (moment.phase === "loss" && part.layer === step.levels) return loss(step, row, own);
    return forward(step, part, row, own);
  }
  const { layer: level } = part;
  if (moment.phase === "update") return [slopeOf(step, part), ...update(step, steps[moment.step - 1], part, own)];
  if (moment.phase === "backward" && level >= moment.level) return [slopeOf(step, part)];
  if (part.kind === "bias") return [{ formula: at("b", level, part.unit), numbers: null, value: step.of("b", level)![0]![part.unit]! }];
  const [w, a] = [step.of("W", level)![part.input]![part.unit]!, step.of("A", level - 1)![row]![part.input]!];
  return [
    { formula: weight(level, part.input, part.unit), numbers: null, value: w },
    checked(`${weight(level, part.input, part.unit)} \\cdot ${input(level - 1, part.input)}`, sumOf([[w, a]]), w * a),
  ];
}

/** A working as one formula, on a line for each equals sign. */
export function latexOf({ formula, numbers, value }: Working): string {
  const last = `= ${write(value, 8)}`;
  const hasRight = /=|\\leftarrow/.test(formula);
  if (!hasRight && numbers === null) return `${formula} ${last}`;
  const first = formula.replace(/(=|\\leftarrow)/, "&$1 ");
  const isSaid = numbers === null || numbers === write(value) || numbers === write(value, 8);
  const lines = hasRight ? [first, ...(isSaid ? [] : [`&= ${numbers}`]), `&${last}`] : [`${formula} &= ${numbers}`, `&${last}`];
  return `\\begin{aligned} ${lines.join(" \\\\ ")} \\end{aligned}`;
}

