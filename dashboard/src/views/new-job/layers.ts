/** Layers as the reader wrote them, beside those that the API made of them. */
import { isObject, kindOf, type Json } from "~/forms/values";
import { integer } from "~/text/format";

/** The kinds of the layers that a model is written with; none where it has no list of them. */
export function layersOf(model: Json | undefined): string[] | undefined {
  const layers = isObject(model) ? model.layers : undefined;
  return Array.isArray(layers) ? layers.map((layer) => kindOf(layer) ?? "") : undefined;
}

/** Where the layer at `place` stands among the completed ones, which have a flatten put before a dense layer where it is needed. */
export function placeOf(written: string[] | undefined, completed: string[], place: number): number {
  if (!written) return place;
  let found = -1;
  for (let index = 0; index <= place; index++) {
    found += 1;
    if (completed[found] === "flatten" && written[index] !== "flatten") found += 1;
  }
  return found;
}

/** A shape for people: 28 × 28 × 6. */
export const sizeOf = (shape: number[]): string => shape.map((size) => integer(size)).join(" × ");
