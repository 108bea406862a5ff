/** A network given number by number, as the page edits it and the address holds it. */
import type { Schema } from "~/api/client";
import type { Kind } from "~/forms/catalog";

export interface GivenLayer {
  weights: number[][];
  bias: number[] | null;
  activation: Kind;
}

export interface Setup {
  layers: GivenLayer[];
  loss: Kind;
  optimizer: Kind;
  inputs: number[][];
  targets: number[][];
  steps: number;
}

const dense = (activation: string, weights: number[][], bias: number[] | null = null): GivenLayer => ({ weights, bias, activation: { kind: activation } });

/** The course's worked example comes first. */
export const EXAMPLES = {
  course: {
    layers: [dense("identity", [[0.11, 0.12], [0.21, 0.08]]), dense("identity", [[0.14], [0.15]])],
    loss: { kind: "half_mse" },
    optimizer: { kind: "gradient_descent", learning_rate: 0.05 },
    inputs: [[2, 3]],
    targets: [[1]],
    steps: 2,
  },
  sigmoid: {
    layers: [dense("sigmoid", [[0.15, 0.25], [0.2, 0.3]], [0.35, 0.35]), dense("sigmoid", [[0.4, 0.5], [0.45, 0.55]], [0.6, 0.6])],
    loss: { kind: "half_mse" },
    optimizer: { kind: "gradient_descent", learning_rate: 0.5 },
    inputs: [[0.05, 0.1]],
    targets: [[0.01, 0.99]],
    steps: 3,
  },
  xor: {
    layers: [dense("tanh", [[1, -0.8], [0.9, -1.1]], [0.3, 0.6]), dense("identity", [[0.7], [0.9]], [-0.2])],
    loss: { kind: "binary_cross_entropy" },
    optimizer: { kind: "adam", learning_rate: 0.1 },
    inputs: [[0, 0], [0, 1], [1, 0], [1, 1]],
    targets: [[0], [1], [1], [0]],
    steps: 5,
  },
  classes: {
    layers: [dense("relu", [[0.5, -0.4, 0.3], [-0.2, 0.6, 0.1]], [0, 0.1, 0]), dense("identity", [[0.4, -0.3, 0.2], [0.1, 0.5, -0.6], [-0.2, 0.3, 0.7]], [0, 0, 0])],
    loss: { kind: "cross_entropy" },
    optimizer: { kind: "momentum", learning_rate: 0.1, momentum: 0.9 },
    inputs: [[1, 2], [-1, 0.5]],
    targets: [[0, 1, 0], [1, 0, 0]],
    steps: 3,
  },
  symmetry: {
    layers: [dense("tanh", [[0.5, 0.5], [0.5, 0.5]], [0, 0]), dense("identity", [[0.5], [0.5]], [0])],
    loss: { kind: "half_mse" },
    optimizer: { kind: "gradient_descent", learning_rate: 0.5 },
    inputs: [[0, 1], [1, 0]],
    targets: [[1], [-1]],
    steps: 4,
  },
  diverging: {
    layers: [dense("identity", [[1.5, 2], [2, 1]]), dense("identity", [[2], [1.5]])],
    loss: { kind: "half_mse" },
    optimizer: { kind: "gradient_descent", learning_rate: 1 },
    inputs: [[2, 3]],
    targets: [[1]],
    steps: 8,
  },
} satisfies Record<string, Setup>;
export type Example = keyof typeof EXAMPLES;

const short = (kind: Kind): string | Kind => (Object.keys(kind).length === 1 ? kind.kind : kind);
const long = (kind: unknown): Kind => {
  if (typeof kind === "string") return { kind };
  if (typeof kind === "object" && kind !== null && typeof (kind as Kind).kind === "string") return kind as Kind;
  throw new Error("no kind");
};

/** As short as the address should be. */
export function toAddress({ layers, loss, optimizer, inputs, targets, steps }: Setup): string {
  return JSON.stringify({ l: layers.map(({ weights, bias, activation }) => [weights, bias ?? 0, short(activation)]), j: short(loss), o: short(optimizer), x: inputs, y: targets, n: steps });
}

const isMatrix = (value: unknown): value is number[][] =>
  Array.isArray(value) && value.length > 0 && value.every((row) => Array.isArray(row) && row.length > 0 && row.every((cell) => typeof cell === "number"));

/** The network that an address holds; null where it holds none that makes sense. */
export function fromAddress(address: string): Setup | null {
  try {
    const { l, j, o, x, y, n } = JSON.parse(address) as Record<string, unknown>;
    if (!Array.isArray(l) || l.length === 0 || !isMatrix(x) || !isMatrix(y)) return null;
    const layers = l.map((layer): GivenLayer => {
      const [weights, bias, activation] = layer as unknown[];
      if (!isMatrix(weights) || (bias !== 0 && !isMatrix([bias]))) throw new Error("no layer");
      return { weights, bias: bias === 0 ? null : (bias as number[]), activation: long(activation) };
    });
    return { layers, loss: long(j), optimizer: long(o), inputs: x, targets: y, steps: Math.min(1000, Math.max(1, Math.trunc(Number(n)) || 1)) };
  } catch {
    return null;
  }
}

/** The request that traces it. The types of the API know each kind by name; which there are is the API's to say. */
export function requestOf({ layers, loss, optimizer, inputs, targets, steps }: Setup): Schema["GivenTrace"] {
  const given = layers.map(({ bias, ...layer }) => (bias ? { ...layer, bias } : layer));
  return { layers: given, loss, optimizer, inputs, targets, steps } as unknown as Schema["GivenTrace"];
}

export const unitsOf = (setup: Setup): number[] => [setup.inputs[0]!.length, ...setup.layers.map((layer) => layer.weights[0]!.length)];

/** A first weight for a unit that is added: small, and unlike its neighbours'. */
const fresh = (input: number, unit: number): number => Math.round(Math.sin(1 + 12.9 * input + 78.2 * unit) * 500) / 1000;

const resizedRow = <T>(row: T[], length: number, make: (place: number) => T): T[] => Array.from({ length }, (_, place) => (place < row.length ? row[place]! : make(place)));

/** The same network with other numbers of units, 0 for the inputs; what fits stays. */
export function withUnits(setup: Setup, level: number, units: number): Setup {
  const sizes = unitsOf(setup).map((size, at) => (at === level ? units : size));
  const last = sizes.length - 1;
  return {
    ...setup,
    inputs: setup.inputs.map((row) => resizedRow(row, sizes[0]!, () => 1)),
    targets: setup.targets.map((row) => resizedRow(row, sizes[last]!, () => 0)),
    layers: setup.layers.map((layer, index) => ({
      ...layer,
      weights: resizedRow(layer.weights, sizes[index]!, () => []).map((row, input) => resizedRow(row, sizes[index + 1]!, (unit) => fresh(input, unit))),
      bias: layer.bias && resizedRow(layer.bias, sizes[index + 1]!, () => 0),
    })),
  };
}

/** The same network with a hidden layer more before the output, or one fewer. */
export function withLayers(setup: Setup, hidden: number): Setup {
  let { layers } = setup;
  while (layers.length - 1 < hidden) {
    const output = layers[layers.length - 1]!;
    const width = output.weights.length;
    const before = layers[layers.length - 2];
    const weights = Array.from({ length: width }, (_, input) => Array.from({ length: width }, (_, unit) => fresh(input, unit)));
    layers = [...layers.slice(0, -1), { weights, bias: output.bias && weights.map(() => 0), activation: before?.activation ?? { kind: "tanh" } }, output];
  }
  while (layers.length - 1 > hidden) {
    const output = layers[layers.length - 1]!;
    const into = layers[layers.length - 2]!.weights.length;
    const weights = resizedRow(output.weights, into, () => []).map((row, input) => resizedRow(row, output.weights[0]!.length, (unit) => fresh(input, unit)));
    layers = [...layers.slice(0, -2), { ...output, weights }];
  }
  return { ...setup, layers };
}
