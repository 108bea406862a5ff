/** A race down a landscape, as the address holds it and the API is asked for it. */
import type { Schema } from "~/api/client";
import type { Kind } from "~/forms/catalog";

export interface Race {
  landscape: string;
  /** null: where the landscape itself begins. */
  start: [number, number] | null;
  racers: Kind[];
  schedule: Kind;
  steps: number;
}

export const MOST_STEPS = 2000;
export const MOST_RACERS = 8;

/** Rates at which plain gradient descent goes down well; elsewhere 0.01. */
const RATES: Record<string, number> = { bowl: 0.1, elongated_bowl: 0.08, saddle: 0.05, two_valleys: 0.02, rosenbrock: 0.001, beale: 0.005, himmelblau: 0.01, rastrigin: 0.002 };

export function usualRacers(landscape: string): Kind[] {
  const rate = RATES[landscape] ?? 0.01;
  return [
    { kind: "gradient_descent", learning_rate: rate },
    { kind: "momentum", learning_rate: Number((rate / 4).toPrecision(2)) },
    { kind: "rmsprop", learning_rate: 0.05 },
    { kind: "adam", learning_rate: 0.1 },
  ];
}

/** What an optimizer is called among others: by its kind, and a number where the kind comes twice. */
export function racerNames(racers: Kind[], titleOf: (kind: string) => string): string[] {
  return racers.map(({ kind }, place) => {
    const alike = racers.filter((other) => other.kind === kind).length;
    const before = racers.slice(0, place + 1).filter((other) => other.kind === kind).length;
    return titleOf(kind) + (alike > 1 ? ` ${before}` : "");
  });
}

const isKind = (value: unknown): value is Kind => typeof value === "object" && value !== null && typeof (value as Kind).kind === "string";

/** A list of kinds that an address holds; null where it holds none. */
export function kindsOf(address: string): Kind[] | null {
  try {
    const found: unknown = JSON.parse(address);
    return Array.isArray(found) && found.length > 0 && found.every(isKind) ? found.slice(0, MOST_RACERS) : null;
  } catch {
    return null;
  }
}

export function descendRequest({ start, racers, schedule, steps }: Race): Schema["DescendRequest"] {
  return { ...(start ? { start } : {}), optimizers: racers, schedule, steps } as unknown as Schema["DescendRequest"];
}

/** How far a point lies from the nearest minimum; null where there is none. */
export function toNearest(point: number[], minima: { point: number[] }[]): number | null {
  if (minima.length === 0) return null;
  return Math.min(...minima.map((minimum) => Math.hypot(point[0]! - minimum.point[0]!, point[1]! - minimum.point[1]!)));
}
