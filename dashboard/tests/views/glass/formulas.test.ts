/** Every formula of the catalog with numbers put in, held against what the engine found. */
import { describe, expect, it } from "vitest";
import { activationWork, lossSlopeWork, lossWork, optimizerWork, ownNumbers, slotSymbols, symbolOf } from "~/views/glass/algebra/catalog";
import { parse, Unreadable } from "~/views/glass/algebra/parse";
import { evaluate, putIn } from "~/views/glass/algebra/work";
import { write } from "~/views/glass/algebra/write";
import { chooseLanguage } from "~/text/language";
import catalog from "./formulas.json";

const own = (entry: { fields: object }) => ownNumbers(entry.fields as Record<string, { description: string; value: unknown }>);
/** What was put in has no letter left but of functions. */
const LEFT_OVER = /(?<![\\a-z])[a-df-z](?![a-z])|\\(alpha|beta|gamma|delta|Delta|epsilon|eta|lambda|rho|theta|sum|prod)/;

describe("activations", () => {
  it.each(catalog.activations.map((entry) => [entry.kind, entry] as const))("%s", (_, entry) => {
    entry.z.forEach((z, place) => {
      const a = entry.a[place]!;
      const [value, slope] = [activationWork(entry, "value", z, a, own(entry)), activationWork(entry, "slope", z, a, own(entry))];
      expect(value?.value).toBeCloseTo(a, 12);
      expect(slope?.value).toBeCloseTo(entry.slope[place]!, 12);
      expect(value?.numbers).not.toMatch(LEFT_OVER);
      expect(slope?.numbers).not.toMatch(LEFT_OVER);
    });
  });
});

describe("losses", () => {
  it.each(catalog.losses.map((entry) => [entry.kind, entry] as const))("%s", (_, entry) => {
    entry.z.forEach((z, row) => {
      const given = { z, y: entry.y[row]!, p: entry.predictions[row]! };
      const loss = lossWork(entry, given, own(entry));
      expect(loss?.value).toBeCloseTo(entry.row_losses[row]!, 12);
      expect(loss?.numbers).not.toMatch(LEFT_OVER);
      z.forEach((_, j) => expect(lossSlopeWork(entry, given, own(entry), j)?.value).toBeCloseTo(entry.gradient[row]![j]!, 12));
    });
  });
});

describe("optimizers", () => {
  it.each(catalog.optimizers.map((entry) => [entry.kind, entry] as const))("%s", (_, entry) => {
    expect(slotSymbols(entry)).toHaveLength(entry.slots.length);
    entry.steps.slice(1).forEach((after, place) => {
      const before = entry.steps[place]!;
      for (const axis of [0, 1]) {
        const lines = optimizerWork(
          entry,
          { theta: before.point[axis]!, gradient: before.gradient[axis]!, rate: after.rate!, step: place + 1, state: before.state.map((slot) => slot[axis]!) },
          own(entry),
        );
        expect(lines?.at(-1)?.left).toBe("\\theta");
        expect(lines?.at(-1)?.value).toBeCloseTo(after.point[axis]!, 12);
        slotSymbols(entry).forEach((symbol, slot) => expect(lines?.filter((line) => line.left === symbol).at(-1)?.value).toBeCloseTo(after.state[slot]![axis]!, 9));
        for (const line of lines ?? []) expect(line.numbers).not.toMatch(LEFT_OVER);
      }
    });
  });
});

describe("putIn", () => {
  const given = { numbers: { "\\theta": 0.11, "\\eta": 0.05, g: -0.22652 } };
  it("brackets what is negative", () => {
    const node = parse("\\theta - \\eta\\,g");
    expect(putIn(node, given, write)).toBe("0.11 - 0.05 \\cdot (-0.22652)");
    expect(evaluate(node, given)).toBeCloseTo(0.121326, 12);
  });
  it("writes numbers in the reader's language", () => {
    chooseLanguage("pt-BR");
    expect(putIn(parse("\\eta"), given, write)).toBe("0{,}05");
    chooseLanguage("en");
    expect([1234567, 1.5e-7, NaN, -Infinity].map((value) => write(value))).toEqual(["1234570", "1.5 \\cdot 10^{-7}", "\\text{NaN}", "-\\infty"]);
  });
  it("shortens long sums", () => {
    const list = [1, 2, 3, 4, 5, 6];
    expect(putIn(parse("\\sum_j z_j^2"), { numbers: {}, lists: { z: list }, count: 6 }, write)).toBe("1^{2} + 2^{2} + \\cdots + 6^{2}");
  });
  it("refuses what it cannot read, and symbols without a number", () => {
    expect(() => parse("\\operatorname{Var}(w) \\approx 2")).toThrow(Unreadable);
    expect(() => evaluate(parse("\\theta + q"), given)).toThrow(Unreadable);
  });
});

describe("symbolOf", () => {
  it("finds the symbol by the name or in the description, in either language", () => {
    expect(symbolOf("momentum", "The share γ of the velocity that is kept.")).toBe("\\gamma");
    expect(symbolOf("beta_1", "A fração da média que é mantida.")).toBe("\\beta_1");
    expect(symbolOf("weight_decay", "O decaimento λ, vezes a taxa.")).toBe("\\lambda");
    expect(symbolOf("steps", "How many.")).toBeNull();
  });
});
