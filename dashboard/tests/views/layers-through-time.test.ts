import { describe, expect, it } from "vitest";
import { countsAt, isZero, linesOf, numbersOf, rangeOf, rowsOf, type LayerSeries } from "~/views/job/panels/layers";

const layer = (name: string, more: Partial<LayerSeries> = {}): LayerSeries =>
  ({ layer: name, of: "weights", count: [4, 4], mean: [0, 1], std: [1, "NaN"], norm: [2, 3], min: [-1, -3], max: [1, 2], dead: null, saturated: null, update_ratio: null, alike: null, edges: null, counts: null, ...more }) as LayerSeries;

describe("layers through the epochs", () => {
  const layers = [layer("hidden_1", { update_ratio: [0.1, null], alike: [0, 0] }), layer("output", { alike: [null, null] })];
  it("have the numbers that some layer has", () => expect(numbersOf(layers)).toEqual(["std", "norm", "update_ratio", "alike", "mean", "min", "max"]));
  it("are a line a layer, with gaps where a number was not kept or is none", () => {
    expect(linesOf([0, 10], layers, "std").map(({ name, y }) => [name, y])).toEqual([["hidden_1", [1, NaN]], ["output", [1, NaN]]]);
    expect(linesOf([0, 10], layers, "update_ratio")).toEqual([{ name: "hidden_1", x: [0, 10], y: [0.1, NaN], look: 0 }]);
    expect(rowsOf([0, 10], layers, "update_ratio")).toEqual({ columns: ["epoch", "hidden_1"], rows: [[0, 0.1], [10, null]] });
  });
  it("are no curve where all is 0", () => expect([isZero(layers, "alike"), isZero(layers, "norm")]).toEqual([true, false]));
  it("have histograms between common edges, where an epoch has them", () => {
    const kept = layer("hidden_1", { edges: [0, 1, 2], counts: [null, [3, 1]] });
    expect([countsAt(kept, 0), countsAt(kept, 1)]).toEqual([undefined, { edges: [0, 1, 2], counts: [3, 1] }]);
    expect([rangeOf(kept.min, kept.max), rangeOf([null], [null])]).toEqual([[-3, 2], undefined]);
  });
});
