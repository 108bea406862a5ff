/** Slices of a loss, as the address holds them and the API is asked for them. */
import type { Schema } from "~/api/client";
import { shapeOf } from "./maps";

/** One parameter of a network. */
export interface Place {
  layer: string;
  name: string;
  index: number[];
}

/** Parameters of one name that a layer has. */
export interface Parameters {
  layer: string;
  name: string;
  shape: number[];
}

const NAMES: Record<string, string> = { weights: "W", bias: "b" };
/** Kept beside the parameters, and not learned. */
const isLearned = (name: string): boolean => !name.startsWith("running");

/** What the layers of a network learn. */
export function parametersOf(layers: Schema["LayerWeights"][]): Parameters[] {
  return layers.flatMap(({ name: layer, weights, bias, arrays }) => {
    const found: [string, unknown][] = [["weights", weights], ["bias", bias], ...Object.entries(arrays ?? {})];
    return found
      .map(([name, values]) => ({ layer, name: NAMES[name] ?? name, shape: shapeOf(values) }))
      .filter(({ name, shape }) => isLearned(name) && shape.length > 0 && shape.every((size) => size > 0));
  });
}

export const written = ({ layer, name, index }: Place): string => [layer, name, index.join(",")].join(":");

/** The parameter that an address names, if the network has it; otherwise the one at `usual`. */
export function placeOf(address: string, all: Parameters[], usual: number): Place | undefined {
  const [layer = "", name = "", index = ""] = address.split(":");
  const given = index.split(",").map(Number);
  const array = all.find((each) => each.layer === layer && each.name === name);
  if (array && given.length === array.shape.length && given.every((at, axis) => Number.isInteger(at) && at >= 0 && at < array.shape[axis]!)) return { layer, name, index: given };
  return nth(all, usual);
}

/** The parameter at a place of all: by layers, and in each by its arrays. */
function nth(all: Parameters[], place: number): Place | undefined {
  let left = place;
  for (const { layer, name, shape } of all) {
    const count = shape.reduce((product, size) => product * size, 1);
    if (left < count) {
      const index = [...shape].reverse().map((size) => {
        const at = left % size;
        left = Math.floor(left / size);
        return at;
      });
      return { layer, name, index: index.reverse() };
    }
    left -= count;
  }
  return undefined;
}

/** What is asked for; what is left empty is as the API has it. */
export interface Asked {
  epoch: string;
  directions: "random" | "principal" | "weights";
  seed: number;
  first: Place | undefined;
  second: Place | undefined;
  resolution: number;
  extent: number | null;
  split: "train" | "validation" | "test";
  rows: number;
}

export function requestOf({ epoch, directions, seed, first, second, resolution, extent, split, rows }: Asked): Schema["LossSlice"] {
  const along = { random: { kind: "random", seed }, principal: { kind: "principal" }, weights: { kind: "weights", first, second } }[directions];
  return { epoch: /^\d+$/.test(epoch) ? Number(epoch) : epoch, directions: along, resolution, extent, split, rows } as Schema["LossSlice"];
}

/** Whether an answer is the job that works a slice out, and not the slice itself. */
export const isJob = (answer: Schema["JobLandscape"] | Schema["JobResource"]): answer is Schema["JobResource"] => "state" in answer;
