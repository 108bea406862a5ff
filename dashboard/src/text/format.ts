/** Numbers, dates and sizes in the reader's language. Each function is called while rendering. */
import { language } from "./language";

/** A number of the API: what is not finite comes as a string. */
export type ApiNumber = number | "NaN" | "Infinity" | "-Infinity" | string;

const MISSING = "–";

/** Made once for a language and its options: that takes longer than to use it, and a table uses it a thousand times. */
const made = new Map<string, unknown>();

function once<T>(kind: new (language: string, options: never) => T, options: object): T {
  const key = `${kind.name} ${language.value} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new kind(language.value, options as never));
  return made.get(key) as T;
}

/** As a number of JavaScript; null and undefined are NaN. */
export function toNumber(value: ApiNumber | null | undefined): number {
  return value === null || value === undefined ? NaN : Number(value);
}

/** Rounded to significant digits, in scientific notation where it is very large or small. */
export function number(value: ApiNumber | null | undefined, digits = 4): string {
  if (value === null || value === undefined) return MISSING;
  const given = Number(value);
  if (Number.isNaN(given)) return "NaN";
  if (!Number.isFinite(given)) return given > 0 ? "∞" : "−∞";
  const size = Math.abs(given);
  const notation = given !== 0 && (size < 1e-3 || size >= 1e7) ? "scientific" : "standard";
  return once(Intl.NumberFormat, { maximumSignificantDigits: digits, notation }).format(given).replaceAll("-", "−");
}

/** A number on an axis: short, as "3M" for three million. */
export function tick(value: number): string {
  if (Math.abs(value) < 1e4 || Math.abs(value) >= 1e15) return number(value, 4);
  return once(Intl.NumberFormat, { notation: "compact", maximumSignificantDigits: 4 }).format(value).replaceAll("-", "−");
}

export function integer(value: number | null | undefined): string {
  return value === null || value === undefined ? MISSING : once(Intl.NumberFormat, { maximumFractionDigits: 0 }).format(value);
}

/** A share of one, as a percentage. */
export function percent(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  return once(Intl.NumberFormat, { style: "percent", maximumFractionDigits: digits }).format(value);
}

export function bytes(value: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3));
  const options = { style: "unit", unit: units[power], unitDisplay: power ? "short" : "long", maximumSignificantDigits: 3 } as const;
  return once(Intl.NumberFormat, options).format(value / 1000 ** power);
}

export function dateTime(value: string | null | undefined): string {
  if (!value) return MISSING;
  return once(Intl.DateTimeFormat, { dateStyle: "medium", timeStyle: "short" }).format(new Date(value));
}

/** How long ago, in the largest unit that fits. */
export function ago(value: string | null | undefined, now = Date.now()): string {
  if (!value) return MISSING;
  const seconds = (new Date(value).getTime() - now) / 1000;
  const relative = once(Intl.RelativeTimeFormat, { numeric: "auto" });
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
  for (const [unit, length] of steps) if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
  return relative.format(Math.trunc(seconds), "second");
}

/** Seconds as a duration: "3 ms", "4.2 s", "2 min 5 s", "3 h 20 min". */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return MISSING;
  if (seconds < 1) return `${number(seconds * 1000, 2)} ms`;
  if (seconds < 60) return `${number(seconds, seconds < 10 ? 2 : 3)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
