/** A trace of the API, looked up by name and level. Level 0 is the input, the last is the output. */
import type { Schema } from "~/api/client";

export type Phase = "forward" | "loss" | "backward" | "update";
export const PHASES: Phase[] = ["forward", "loss", "backward", "update"];

/** A moment of a step: what is worked out now. Loss and update have no level. */
export interface Moment {
  step: number;
  phase: Phase;
  level: number;
}

export class Step {
  private readonly found = new Map<string, { values: number[][]; formula: string }>();
  /** "", "hidden_1", …, "output". */
  readonly layers: (string | null)[] = [null];
  /** The optimizer's t. */
  readonly t: number;
  /** The names of the optimizer's vectors, in their order. */
  readonly slots: string[] = [];

  constructor(step: Schema["TraceStep"]) {
    this.t = step.step;
    for (const quantity of step.quantities) {
      if (quantity.name === "Z") this.layers.push(quantity.layer);
      const slot = /^(?!change_|new_)(.+)_W$/.exec(quantity.name)?.[1];
      if (slot && quantity.stage === "update" && !this.slots.includes(slot)) this.slots.push(slot);
      this.found.set(`${quantity.name} ${quantity.layer}`, { values: toMatrix(quantity.values), formula: quantity.formula });
    }
  }

  get levels(): number {
    return this.layers.length - 1;
  }
  /** The numbers of that name, as rows; a vector or a number is one row. */
  of(name: string, level = 0): number[][] | undefined {
    return this.found.get(`${name} ${this.layers[level]}`)?.values;
  }
  number(name: string): number | undefined {
    return this.of(name)?.[0]?.[0];
  }
  formula(name: string, level = 0): string {
    return this.found.get(`${name} ${this.layers[level]}`)?.formula ?? "";
  }
  units(level: number): number {
    return this.of("A", level)?.[0]?.length ?? 0;
  }
  /** The first quantity with a number that is not finite. */
  get firstBeyond(): { name: string; layer: string | null; value: number } | null {
    for (const [key, { values }] of this.found) {
      const value = values.flat().find((one) => !Number.isFinite(one));
      if (value !== undefined) {
        const [name, layer] = key.split(" ") as [string, string];
        return { name, layer: layer === "null" ? null : layer, value };
      }
    }
    return null;
  }
}

function toMatrix(values: unknown): number[][] {
  if (!Array.isArray(values)) return [[Number(values)]];
  if (!Array.isArray(values[0])) return [values.map(Number)];
  return (values as unknown[][]).map((row) => row.map(Number));
}

/** Every moment of every step, in order. */
export function moments(steps: number, levels: number): Moment[] {
  const all = Array.from({ length: levels }, (_, index) => index + 1);
  return Array.from({ length: steps }, (_, step) => [
    ...all.map((level): Moment => ({ step, phase: "forward", level })),
    { step, phase: "loss", level: 0 } as Moment,
    ...[...all].reverse().map((level): Moment => ({ step, phase: "backward", level })),
    { step, phase: "update", level: 0 } as Moment,
  ]).flat();
}
