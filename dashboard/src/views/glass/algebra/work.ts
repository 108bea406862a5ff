/** Trees worked out: the same formula with the numbers put into it, and what it comes to. */
import { Unreadable } from "./parse";
import type { Node } from "./tree";

/** The numbers that symbols stand for. */
export interface Given {
  /** Of symbols without an index, as "\\eta" or "\\beta_1". */
  numbers: Record<string, number>;
  /** Of symbols with an index: one number for each of its values. */
  lists?: Record<string, number[]>;
  /** What each index is now: "j" is 0 for the first; "y" is the class of the row. */
  indices?: Record<string, number>;
  /** Over how many values an index runs. */
  count?: number;
}

const MOST_TERMS = 4;

function valueOf(node: Node & { type: "symbol" }, given: Given): number {
  const { name, index } = node;
  if (index === "") {
    if (name === "\\pi") return Math.PI;
    const value = given.numbers[name];
    if (value === undefined) throw new Unreadable(name);
    return value;
  }
  const places = [...index].map((letter) => given.indices?.[letter]);
  if (name === "\\delta" && places.length === 2) return places[0] === places[1] ? 1 : 0;
  const list = given.lists?.[name];
  const value = places.length === 1 && places[0] !== undefined ? list?.[places[0]] : undefined;
  if (value === undefined) throw new Unreadable(`${name}_${index}`);
  return value;
}

const FUNCTIONS: Record<string, (...values: number[]) => number> = {
  "\\ln": Math.log,
  "\\tanh": Math.tanh,
  "\\cos": Math.cos,
  "\\sin": Math.sin,
  "\\max": Math.max,
  "\\min": Math.min,
  "\\sign": Math.sign,
  "\\sigma": (z) => 1 / (1 + Math.exp(-z)),
};

/** The values that a sum or product runs over. */
function runOver(node: Node & { type: "over" }, given: Given): Given[] {
  const { count = 0, indices = {} } = given;
  const left_out = node.without === null ? -1 : indices[node.without];
  if (left_out === undefined) throw new Unreadable(String(node.without));
  return Array.from({ length: count }, (_, place) => place)
    .filter((place) => place !== left_out)
    .map((place) => ({ ...given, indices: { ...indices, [node.variable]: place } }));
}

function holds(left: number, relation: string, right: number): boolean {
  if (relation === "<") return left < right;
  if (relation === ">") return left > right;
  if (relation === "\\le") return left <= right;
  if (relation === "\\ge") return left >= right;
  return left !== right;
}

function chosenCase(node: Node & { type: "cases" }, given: Given): Node {
  const found = node.cases.find(({ condition }) => evaluate(condition, given) === 1);
  if (!found) throw new Unreadable("no case holds");
  return found.value;
}

/** What the formula comes to. Throws Unreadable where a symbol has no number. */
export function evaluate(node: Node, given: Given): number {
  const of = (part: Node) => evaluate(part, given);
  switch (node.type) {
    case "number":
      return node.value;
    case "symbol":
      return valueOf(node, given);
    case "sum":
      return node.terms.reduce((total, { sign, node: term }) => total + sign * of(term), 0);
    case "product": {
      const values = node.factors.map(of);
      return values.includes(0) ? 0 : values.reduce((total, value) => total * value, 1); // 0 · ln 0 counts as 0
    }
    case "quotient":
      return of(node.over) / of(node.under);
    case "power": {
      const base = node.base;
      if (base.type === "symbol" && base.name === "e" && base.index === "") return Math.exp(of(node.exponent));
      return of(base) ** of(node.exponent);
    }
    case "root":
      return Math.sqrt(of(node.of));
    case "group":
      return of(node.of);
    case "absolute":
      return Math.abs(of(node.of));
    case "over": {
      const values = runOver(node, given).map((one) => evaluate(node.body, one));
      return node.operator === "sum" ? values.reduce((total, value) => total + value, 0) : values.reduce((total, value) => total * value, 1);
    }
    case "cases":
      return of(chosenCase(node, given));
    case "comparison":
      return holds(of(node.left), node.relation, of(node.right)) ? 1 : 0;
    case "call": {
      if (node.name === "f") return valueOf({ type: "symbol", name: "f", index: "" }, given);
      const work = FUNCTIONS[node.name];
      if (!work) throw new Unreadable(node.name);
      const value = work(...node.given.map(of));
      return node.power ? value ** of(node.power) : value;
    }
  }
}

const isLongSum = (node: Node, given: Given): boolean => node.type === "over" && node.operator === "sum" && runOver(node, given).length > 1;

/** The formula with the numbers put in, as LaTeX; `write` writes a number. */
export function putIn(node: Node, given: Given, write: (value: number) => string): string {
  const of = (part: Node): string => putIn(part, given, write);
  /** In brackets where a sign, or a sum, would be read wrongly. */
  const inside = (part: Node): string => {
    const written = of(part);
    const isLoose = part.type === "sum" || isLongSum(part, given) || written.startsWith("-");
    return isLoose ? `(${written})` : written;
  };
  switch (node.type) {
    case "number":
      return write(node.value);
    case "symbol":
      return node.name === "\\pi" ? "\\pi" : write(valueOf(node, given));
    case "sum":
      return node.terms.map(({ sign, node: term }, place) => `${sign < 0 ? "- " : place > 0 ? "+ " : ""}${sign < 0 || place > 0 ? inside(term) : of(term)}`).join(" ");
    case "product":
      return node.factors.map((factor, place) => (place === 0 && factor.type !== "sum" && !isLongSum(factor, given) ? of(factor) : inside(factor))).join(" \\cdot ");
    case "quotient":
      return node.isInline ? `${inside(node.over)} / ${inside(node.under)}` : `\\frac{${of(node.over)}}{${of(node.under)}}`;
    case "power": {
      const base = node.base;
      if (base.type === "symbol" && base.name === "e" && base.index === "") return `e^{${of(node.exponent)}}`;
      const written = of(base);
      const isPlain = base.type === "group" || base.type === "call" || base.type === "absolute" || /^\d+([.,{}]*\d+)*$/.test(written);
      return `${isPlain ? written : `\\left(${written}\\right)`}^{${of(node.exponent)}}`;
    }
    case "root":
      return `\\sqrt{${of(node.of)}}`;
    case "group":
      return node.isSquare ? `\\left[${of(node.of)}\\right]` : `\\left(${of(node.of)}\\right)`;
    case "absolute":
      return `\\left|${of(node.of)}\\right|`;
    case "over": {
      const terms = runOver(node, given).map((one) => {
        const written = putIn(node.body, one, write);
        return node.operator === "prod" || written.startsWith("-") || node.body.type === "sum" ? `\\left(${written}\\right)` : written;
      });
      const sign = node.operator === "sum" ? " + " : " \\cdot ";
      if (terms.length === 0) return node.operator === "sum" ? "0" : "1";
      return terms.length <= MOST_TERMS ? terms.join(sign) : [...terms.slice(0, 2), "\\cdots", terms[terms.length - 1]].join(sign);
    }
    case "cases":
      return of(chosenCase(node, given));
    case "comparison":
      return `${of(node.left)} ${node.relation} ${of(node.right)}`;
    case "call": {
      if (node.name === "f") return write(valueOf({ type: "symbol", name: "f", index: "" }, given));
      const name = FUNCTION_NAMES[node.name] ?? node.name;
      const power = node.power ? `^{${of(node.power)}}` : "";
      return `${name}${power}\\left(${node.given.map(of).join(", ")}\\right)`;
    }
  }
}

const FUNCTION_NAMES: Record<string, string> = { "\\sign": "\\operatorname{sign}" };
