import { describe, expect, it } from "vitest";
import { drawnUnits, keyOf, partOf, place, type Part } from "~/charts/network";

describe("drawnUnits", () => {
  it("draws all where they fit", () => expect(drawnUnits(3, 8)).toEqual({ units: [0, 1, 2], gap: null }));
  it("draws the first and the last of many, in no more places than allowed", () => {
    expect(drawnUnits(64, 6)).toEqual({ units: [0, 1, 2, 62, 63], gap: 3 });
  });
});

describe("place", () => {
  it("centres the columns and tells what is left out", () => {
    const { columns, height } = place([2, 20, 1], 5, 300, 40, 30, 10);
    expect(height).toBe(10 + 5 * 40);
    expect(columns.map(({ placed }) => placed.map(({ x }) => x)[0])).toEqual([30, 150, 270]);
    expect(columns[2]!.placed[0]!.y).toBe((columns[0]!.placed[0]!.y + columns[0]!.placed[1]!.y) / 2);
    expect(columns[1]!.gap?.count).toBe(16);
    expect(columns[1]!.placed.map(({ unit }) => unit)).toEqual([0, 1, 18, 19]);
  });
});

describe("keyOf and partOf", () => {
  const parts: Part[] = [{ kind: "unit", layer: 0, unit: 3 }, { kind: "bias", layer: 1, unit: 0 }, { kind: "weight", layer: 2, input: 4, unit: 1 }];
  it.each(parts)("find each part again: %o", (part) => expect(partOf(keyOf(part))).toEqual(part));
  it.each(["", "unit", "unit.1", "unit.-1.0", "weight.1.0", "else.1.2"])("know no part %o", (key) => expect(partOf(key)).toBeNull());
});
