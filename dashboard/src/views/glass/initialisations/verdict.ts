/** What an initialization does to a deep network, as far as its numbers say it. */
import type { Schema } from "~/api/client";
import { toNumber } from "~/text/format";

export type Verdict = "vanished" | "gradientsVanish" | "exploded" | "gradientsExplode" | "saturates" | "alike" | "keeps";

/** Of one order: no more than so many times larger or smaller from the first layer to the last. */
const ORDER = 30;
const MOSTLY = 0.5;

/** Every verdict that holds; "keeps" where none else does. */
export function verdicts({ initializer, layers }: Schema["Initialization"]): Verdict[] {
  const first = layers[0]!;
  const last = layers[layers.length - 1]!;
  const ratio = (over: number | string, under: number | string) => toNumber(over) / toNumber(under);
  /** What lies beyond all numbers is not counted, and has grown. */
  const isBeyond = layers.some((layer) => layer.activations.count < first.activations.count || !Number.isFinite(toNumber(layer.activations.std)));
  const [forward, backward] = [ratio(last.activations.std, first.activations.std), ratio(first.gradients.std, last.gradients.std)];
  const found: Verdict[] = [];
  if (initializer.kind === "zeros" || initializer.kind === "constant") found.push("alike");
  if (isBeyond || forward > ORDER) found.push("exploded");
  else if (toNumber(last.activations.std) === 0 || forward < 1 / ORDER) found.push("vanished");
  if (layers.reduce((sum, layer) => sum + layer.saturated - layer.zero, 0) / layers.length > MOSTLY) found.push("saturates");
  if (layers.some((layer) => layer.gradients.count < last.gradients.count) || backward > ORDER) found.push("gradientsExplode");
  else if (toNumber(first.gradients.std) === 0 || backward < 1 / ORDER) found.push("gradientsVanish");
  return found.length > 0 ? found : ["keeps"];
}
