import { describe, expect, it } from "vitest";
import { shownNumbers, typedNumbers } from "~/forms/values";
import { filtersOf, hasConvolution, largestOf, mapsOf, shapeOf } from "~/views/job/panels/maps";
import { layersOf, placeOf } from "~/views/new-job/layers";

describe("layers as they were written", () => {
  it("stand beside the completed ones, flatten put in or not", () => {
    const written = layersOf({ kind: "network", layers: ["conv2d", { kind: "dense", units: 3 }, "dropout"] });
    expect(written).toEqual(["conv2d", "dense", "dropout"]);
    const completed = ["conv2d", "flatten", "dense", "dropout", "dense"];
    expect([0, 1, 2].map((place) => placeOf(written, completed, place))).toEqual([0, 2, 3]);
    expect([0, 1, 2].map((place) => placeOf(["conv2d", "flatten", "dense"], completed, place))).toEqual([0, 1, 2]);
    expect(placeOf(layersOf("mlp"), ["dense", "dense"], 1)).toBe(1);
  });

  it("take one number, or several in their order", () => {
    expect(["3", "3 × 5", "28x28", "28, 28, 1", " "].map((text) => typedNumbers(text, true))).toEqual([3, [3, 5], [28, 28], [28, 28, 1], undefined]);
    expect(typedNumbers("8", false)).toEqual([8]);
    expect([3, [3, 5]].map(shownNumbers)).toEqual(["3", "3 × 5"]);
  });
});

describe("pictures of filters and maps", () => {
  it("are a grid a map, and for each filter a grid a channel", () => {
    expect(mapsOf([[[1, 2], [3, 4]], [[5, 6], ["NaN", 8]]], 2)).toEqual([[[1, 3], [5, NaN]], [[2, 4], [6, 8]]]);
    expect(filtersOf([[[[1, 2], [3, 4]]]], 2, 2)).toEqual([[[[1]], [[3]]], [[[2]], [[4]]]]);
    expect([largestOf([[[1, -3, NaN, Infinity]]]), largestOf([[[0]]])]).toEqual([3, 1]);
  });

  it("have the shape of their lists", () => {
    expect([shapeOf([[1, 2, 3], [4, 5, 6]]), shapeOf([[[[1]], [[2]]]]), shapeOf([]), shapeOf(3)]).toEqual([[2, 3], [1, 2, 1, 1], [0], []]);
  });

  it("are of jobs with a convolution", () => {
    expect([{}, { layers: ["dense"] }, { layers: [{ kind: "conv2d" }] }].map(hasConvolution)).toEqual([false, false, true]);
  });
});
