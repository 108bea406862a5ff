/** How units are called in a drawing. */
const LOW = "₀₁₂₃₄₅₆₇₈₉";

export const lowered = (value: number): string => [...String(value)].map((digit) => LOW[Number(digit)]).join("");

/** x₁ of the inputs, h₁ of a hidden layer, o₁ of the output. */
export function unitName(level: number, unit: number, levels: number): string {
  const letter = level === 0 ? "x" : level === levels ? "o" : levels > 2 ? `h${"′".repeat(level - 1)}` : "h";
  return letter + lowered(unit + 1);
}
