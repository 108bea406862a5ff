/** LaTeX, as the catalog writes it, into trees. What it does not know it refuses: nothing is read as what it is not. */
import type { Clause, Node } from "./tree";

const IGNORED = new Set(["\\,", "\\;", "\\:", "\\!", "\\ ", "\\left", "\\right"]);
const FUNCTIONS = new Set(["\\ln", "\\tanh", "\\max", "\\min", "\\sigma", "\\cos", "\\sin"]);
const RELATIONS = new Set(["<", ">", "\\le", "\\ge", "\\ne"]);
const GREEK = /^\\(alpha|beta|gamma|delta|Delta|epsilon|eta|lambda|rho|theta|pi|mu)$/;
const CLOSING = new Set(["+", "-", "=", ")", "]", "}", "&", "\\\\", ",", "\\leftarrow", "\\quad", "\\end", "\\in", "\\sim", ...RELATIONS]);

/** For which values a clause holds, as it stands at the end. */
const CONDITION = /\s*\\(;|quad)\s*\([^()]*\)$/;

export class Unreadable extends Error {}

function lex(latex: string): string[] {
  const found = latex.match(/\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|d[a-zA-Z](?![a-zA-Z])|[a-zA-Z]|\S/g) ?? [];
  return found.filter((token) => !IGNORED.has(token));
}

class Reader {
  private at = 0;
  private inAbsolute = 0;
  constructor(private readonly tokens: string[]) {}

  /** The token that is read next. */
  peek(): string | undefined {
    return this.tokens[this.at];
  }
  get isAtEnd(): boolean {
    return this.at >= this.tokens.length;
  }
  private take(wanted?: string): string {
    const token = this.tokens[this.at];
    if (token === undefined || (wanted !== undefined && token !== wanted)) throw new Unreadable(`${wanted ?? "more"} is missing`);
    this.at += 1;
    return token;
  }

  sum(): Node {
    const terms: { sign: 1 | -1; node: Node }[] = [];
    let sign: 1 | -1 = 1;
    if (this.peek() === "-") {
      this.take();
      sign = -1;
    }
    for (;;) {
      terms.push({ sign, node: this.product() });
      if (this.peek() !== "+" && this.peek() !== "-") break;
      sign = this.take() === "+" ? 1 : -1;
    }
    return terms.length === 1 && terms[0]!.sign === 1 ? terms[0]!.node : { type: "sum", terms };
  }

  private product(): Node {
    const factors: Node[] = [];
    for (;;) {
      const token = this.peek();
      if (token === undefined || CLOSING.has(token) || (token === "|" && this.inAbsolute > 0 && factors.length > 0)) break;
      if (token === "\\cdot" || token === "\\odot") {
        this.take();
        continue;
      }
      if (token === "/") {
        this.take();
        const over: Node = factors.length === 1 ? factors[0]! : { type: "product", factors: [...factors] };
        factors.splice(0, factors.length, { type: "quotient", over, under: this.factor(), isInline: true });
        continue;
      }
      factors.push(this.factor());
    }
    if (factors.length === 0) throw new Unreadable(`nothing before ${this.peek()}`);
    return factors.length === 1 ? factors[0]! : { type: "product", factors };
  }

  private factor(): Node {
    const base = this.base();
    if (this.peek() !== "^") return base;
    this.take();
    return { type: "power", base, exponent: this.script() };
  }

  /** What stands in braces, or the one token that stands for it. */
  private script(): Node {
    if (this.peek() === "{") return this.braced();
    return this.base();
  }

  private braced(): Node {
    this.take("{");
    const outer = this.inAbsolute;
    this.inAbsolute = 0;
    const node = this.sum();
    this.inAbsolute = outer;
    this.take("}");
    return node;
  }

  /** The tokens of a script, as one word. */
  private word(): string {
    if (this.peek() !== "{") return this.take();
    this.take();
    let word = "";
    while (this.peek() !== "}") word += this.take();
    this.take();
    return word;
  }

  private base(): Node {
    const token = this.take();
    if (/^\d/.test(token)) return { type: "number", value: Number(token) };
    if (token === "{") {
      this.at -= 1;
      return this.braced();
    }
    if (token === "(" || token === "[") return this.group(token === "[");
    if (token === "|") return this.absolute();
    if (token === "\\frac" || token === "\\tfrac") {
      const over = this.script();
      return { type: "quotient", over, under: this.script(), isInline: false };
    }
    if (token === "\\sqrt") return { type: "root", of: this.braced() };
    if (token === "\\sum" || token === "\\prod") return this.over(token === "\\sum" ? "sum" : "prod");
    if (token === "\\begin") return this.cases();
    if (token === "\\operatorname") return this.call(`\\${this.word()}`);
    if (FUNCTIONS.has(token) || (token === "f" && this.peek() === "(")) return this.call(token);
    if (token === "\\hat") return this.symbol(`\\hat ${this.take()}`);
    if (/^[a-zA-Z]{1,2}$/.test(token) || GREEK.test(token)) return this.symbol(token);
    throw new Unreadable(token);
  }

  private symbol(name: string): Node {
    let index = "";
    if (this.peek() === "_") {
      this.take();
      index = this.word();
    }
    return /^\d+$/.test(index) ? { type: "symbol", name: `${name}_${index}`, index: "" } : { type: "symbol", name, index };
  }

  private group(isSquare: boolean): Node {
    const outer = this.inAbsolute;
    this.inAbsolute = 0;
    let of = this.sum();
    if (RELATIONS.has(this.peek() ?? "")) of = { type: "comparison", left: of, relation: this.take(), right: this.sum() };
    this.inAbsolute = outer;
    this.take(isSquare ? "]" : ")");
    return { type: "group", of, isSquare };
  }

  private absolute(): Node {
    this.inAbsolute += 1;
    const of = this.sum();
    this.inAbsolute -= 1;
    this.take("|");
    return { type: "absolute", of };
  }

  private over(operator: "sum" | "prod"): Node {
    this.take("_");
    const word = this.word();
    const [variable = "", without] = word.split("\\ne");
    if (!/^[a-z]$/.test(variable)) throw new Unreadable(word);
    return { type: "over", operator, variable, without: without ?? null, body: this.product() };
  }

  private call(name: string): Node {
    let power: Node | null = null;
    if (this.peek() === "^") {
      this.take();
      power = this.script();
    }
    if (this.peek() !== "(") return { type: "call", name, given: [this.factor()], power };
    this.take();
    const given = [this.sum()];
    while (this.peek() === ",") {
      this.take();
      given.push(this.sum());
    }
    this.take(")");
    return { type: "call", name, given, power };
  }

  private cases(): Node {
    if (this.word() !== "cases") throw new Unreadable("\\begin");
    const cases: { value: Node; condition: Node }[] = [];
    for (;;) {
      const value = this.sum();
      while (this.peek() === "=") {
        this.take();
        this.sum(); // the same said otherwise
      }
      this.take("&");
      const left = this.sum();
      const relation = this.take();
      if (!RELATIONS.has(relation)) throw new Unreadable(relation);
      cases.push({ value, condition: { type: "comparison", left, relation, right: this.sum() } });
      if (this.peek() !== "\\\\") break;
      this.take();
    }
    this.take("\\end");
    this.word();
    return { type: "cases", cases };
  }
}

/** A formula as a tree. Throws Unreadable. */
export function parse(latex: string): Node {
  const reader = new Reader(lex(latex));
  const node = reader.sum();
  const isDone = reader.isAtEnd || reader.peek() === "=" || reader.peek() === "\\quad" || reader.peek() === ",";
  if (!isDone) throw new Unreadable(String(reader.peek()));
  return node;
}

/** The equations and assignments of a formula, in order; those that cannot be read are left out. */
export function clauses(latex: string): Clause[] {
  return latex.split(/,\s*\\quad/).flatMap((clause): Clause[] => {
    const found = /^(.*?)\s*(=|\\leftarrow)\s*(.*)$/s.exec(clause.trim().replace(CONDITION, ""));
    if (!found) return [];
    try {
      return [{ left: found[1]!.trim(), isAssignment: found[2] !== "=", right: parse(found[3]!) }];
    } catch (thrown) {
      if (thrown instanceof Unreadable) return [];
      throw thrown;
    }
  });
}
