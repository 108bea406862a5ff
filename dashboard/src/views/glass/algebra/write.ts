/** Numbers as LaTeX, in the reader's language. */
import { language } from "~/text/language";

/** Rounded to `digits` significant digits; powers of ten where it is very large or small. */
export function write(value: number, digits = 6): string {
  if (Number.isNaN(value)) return "\\text{NaN}";
  if (!Number.isFinite(value)) return value > 0 ? "\\infty" : "-\\infty";
  const size = Math.abs(value);
  const point = language.value === "en" ? "." : "{,}";
  if (value !== 0 && (size < 1e-4 || size >= 1e7)) {
    const [number, power] = value.toExponential(Math.min(digits, 5) - 1).split("e") as [string, string];
    return `${trimmed(number).replace(".", point)} \\cdot 10^{${Number(power)}}`;
  }
  return String(Number(value.toPrecision(digits))).replace(".", point);
}

function trimmed(number: string): string {
  return number.includes(".") ? number.replace(/\.?0+$/, "") : number;
}
