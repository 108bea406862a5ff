/** A formula of the API, taken apart so that numbers can be put into it. */
export type Node =
  | { type: "number"; value: number }
  | { type: "symbol"; name: string; index: string }
  | { type: "sum"; terms: { sign: 1 | -1; node: Node }[] }
  | { type: "product"; factors: Node[] }
  | { type: "quotient"; over: Node; under: Node; isInline: boolean }
  | { type: "power"; base: Node; exponent: Node }
  | { type: "root"; of: Node }
  | { type: "call"; name: string; given: Node[]; power: Node | null }
  | { type: "group"; of: Node; isSquare: boolean }
  | { type: "absolute"; of: Node }
  | { type: "over"; operator: "sum" | "prod"; variable: string; without: string | null; body: Node }
  | { type: "cases"; cases: { value: Node; condition: Node }[] }
  | { type: "comparison"; left: Node; relation: string; right: Node };

/** One equation or assignment: "m ← β₁ m + (1 − β₁) g". */
export interface Clause {
  left: string;
  isAssignment: boolean;
  right: Node;
}
