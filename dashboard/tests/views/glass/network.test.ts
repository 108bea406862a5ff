/** A network step by step: where each number comes from, and how the address holds it. */
import { describe, expect, it } from "vitest";
import type { Schema } from "~/api/client";
import type { Part } from "~/charts/network";
import { ownNumbers } from "~/views/glass/algebra/catalog";
import { EXAMPLES, fromAddress, toAddress, unitsOf, withLayers, withUnits, type Setup } from "~/views/glass/network/setup";
import { moments, Step } from "~/views/glass/network/trace";
import { latexOf, workings } from "~/views/glass/network/workings";
import catalog from "./formulas.json";

const steps = catalog.steps.map((step) => new Step(step as unknown as Schema["TraceStep"]));
const adam = catalog.optimizers.find(({ kind }) => kind === "adam")!;
const own = { activations: [], loss: {}, optimizer: ownNumbers(adam.fields as never) };
const sizes = [2, 2, 3];

const parts: Part[] = sizes.flatMap((units, layer) =>
  Array.from({ length: units }, (_, unit): Part[] => [
    { kind: "unit", layer, unit },
    ...(layer > 0 ? [{ kind: "bias" as const, layer, unit }, ...Array.from({ length: sizes[layer - 1]! }, (_, input) => ({ kind: "weight" as const, layer, input, unit }))] : []),
  ]).flat(),
);

describe("workings", () => {
  const all = moments(steps.length, 2);
  it("go through every part of every step", () => expect(all.slice(0, 6).map(({ phase, level }) => `${phase} ${level}`)).toEqual(["forward 1", "forward 2", "loss 0", "backward 2", "backward 1", "update 0"]));

  it.each(all.map((moment) => [`${moment.step} ${moment.phase} ${moment.level}`, moment] as const))("put numbers into every formula at %s", (_, moment) => {
    for (const part of parts) {
      for (const row of [0, 1]) {
        for (const working of workings(steps, moment, part, row, own)) {
          expect(working.value).not.toBeNaN();
          const isGiven = !working.formula.includes("=") && !working.formula.includes("leftarrow") && !working.formula.includes("cdot");
          const isLink = working.formula.startsWith("\\hat y");
          if (!isGiven && !isLink) expect(working.numbers, working.formula).not.toBeNull();
          expect(latexOf(working)).not.toContain("undefined");
        }
      }
    }
  });

  it("show no numbers that do not come to what was found", () => {
    const other = catalog.steps.map((step) => ({
      ...step,
      quantities: step.quantities.map((quantity) => (quantity.name === "dW" ? { ...quantity, values: (quantity.values as number[][]).map((row) => row.map((value) => value + 0.01)) } : quantity)),
    }));
    const penalised = other.map((step) => new Step(step as unknown as Schema["TraceStep"]));
    const [slope] = workings(penalised, { step: 0, phase: "backward", level: 2 }, { kind: "weight", layer: 2, input: 0, unit: 0 }, 0, own);
    expect(slope?.numbers).toBeNull();
  });
});

describe("a network in the address", () => {
  it.each(Object.entries(EXAMPLES) as [string, Setup][])("%s is found again", (_, setup) => expect(fromAddress(toAddress(setup))).toEqual(setup));
  it.each(["", "{}", "[]", '{"l":[]}', '{"l":[[[["a"]],0,"tanh"]],"j":"mse","o":"adam","x":[[1]],"y":[[1]],"n":1}'])("%s is none", (address) => expect(fromAddress(address)).toBeNull());
  it("keeps what fits when its size changes", () => {
    const wider = withUnits(EXAMPLES.course, 1, 3);
    expect(unitsOf(wider)).toEqual([2, 3, 1]);
    expect(wider.layers[0]!.weights.map((row) => row.slice(0, 2))).toEqual(EXAMPLES.course.layers[0]!.weights);
    expect(withUnits(wider, 1, 2)).toEqual(EXAMPLES.course);
    expect(unitsOf(withLayers(EXAMPLES.sigmoid, 3))).toEqual([2, 2, 2, 2, 2]);
    expect(unitsOf(withLayers(withLayers(EXAMPLES.classes, 3), 0))).toEqual([2, 3]);
  });
});
