import { expect, it } from "vitest";
import { isJob, parametersOf, placeOf, requestOf, written } from "~/views/job/panels/slices";

const matrix = (rows: number, columns: number) => Array.from({ length: rows }, () => Array(columns).fill(0));
const layers = [
  { name: "conv_1", kind: "conv2d", weights: [], bias: null, arrays: { weights: [[[[0, 0]]]], bias: [0, 0] } },
  { name: "norm_1", kind: "batch_norm", weights: [], bias: null, arrays: { gamma: [1, 1], beta: [0, 0], running_mean: [0, 0] } },
  { name: "output", kind: "dense", weights: matrix(2, 3), bias: [0, 0, 0], arrays: null },
] as never[];
const parameters = parametersOf(layers);

it("layers are told by what they learn, under the names that slices know", () => {
  expect(parameters.map(({ layer, name, shape }) => [layer, name, shape])).toEqual([
    ["conv_1", "W", [1, 1, 1, 2]],
    ["conv_1", "b", [2]],
    ["norm_1", "gamma", [2]],
    ["norm_1", "beta", [2]],
    ["output", "W", [2, 3]],
    ["output", "b", [3]],
  ]);
});

it("a parameter that an address names is taken, and any other is the usual one", () => {
  const place = { layer: "output", name: "W", index: [1, 2] };
  expect(placeOf(written(place), parameters, 0)).toEqual(place);
  for (const wrong of ["", "output:W:1,3", "output:W:1", "output:V:0,0", "hidden:W:0,0", "output:W:-1,0"]) expect(placeOf(wrong, parameters, 1)).toEqual({ layer: "conv_1", name: "W", index: [0, 0, 0, 1] });
  expect([placeOf("", parameters, 3), placeOf("", parameters, 8 + 5), placeOf("", parameters, 17)]).toEqual([
    { layer: "conv_1", name: "b", index: [1] },
    { layer: "output", name: "W", index: [1, 2] },
    undefined,
  ]);
});

it("a request has the numbers of its directions alone", () => {
  const asked = { epoch: "model", directions: "random", seed: 3, first: undefined, second: undefined, resolution: 25, extent: null, split: "train", rows: 100 } as const;
  expect(requestOf(asked)).toEqual({ epoch: "model", directions: { kind: "random", seed: 3 }, resolution: 25, extent: null, split: "train", rows: 100 });
  expect(requestOf({ ...asked, epoch: "12", directions: "principal" })).toMatchObject({ epoch: 12, directions: { kind: "principal" } });
});

it("a slice that takes long is a job", () => {
  expect([isJob({ state: "queued" } as never), isJob({ costs: [] } as never)]).toEqual([true, false]);
});
