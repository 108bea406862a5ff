import { expect, it } from "vitest";
import { panelsOf } from "~/views/job/index";
import { axesOf, widestOf } from "~/views/job/panels/axes";
import { cleaned, clustersIn, drawn, labelsOf } from "~/views/job/panels/clusters";
import { nearestOf } from "~/views/model/prediction";

const words = { cluster: (cluster: number) => `cluster ${cluster}`, row: (row: number) => `row ${row}` };
const x = { feature: "a", rows: [1, 2, 9], centroids: [1.5, 9, 4] };
const found = { job_id: "job_1", epoch: 3, x, y: null, rows: [0, 5, 7], clusters: [0, 0, 1], of_rows: 3 };

it("groups rows by cluster, empty ones too, and marks the centroids", () => {
  const { groups, marks } = drawn({ ...found, y: { feature: "b", rows: [3, 4, "NaN"], centroids: [3.5, 5, 6] } }, words);
  expect(groups).toEqual([
    { name: "cluster 0", x: [1, 2], y: [3, 4], notes: ["row 0", "row 5"] },
    { name: "cluster 1", x: [9], y: [NaN], notes: ["row 7"] },
    { name: "cluster 2", x: [], y: [], notes: [] },
  ]);
  expect(marks[2]).toEqual({ name: "2", x: 4, y: 6 });
  const onLine = drawn(found, words);
  expect([onLine.groups.map((group) => group.y), onLine.marks.map((mark) => mark.y)]).toEqual([[[0, 0], [1], []], [0, 1, 2]]);
});

it("begins with the features along which the centroids lie furthest apart", () => {
  const centroids = { features: ["a", "b", "c"], values: [], scaled: [[5, 0, 1], [5, 9, -1], [6, 4, 1]] };
  expect(widestOf(centroids, ["a", "b", "c"])).toEqual(["b", "c"]);
  expect(widestOf({ ...centroids, features: ["a"] }, ["a"])).toEqual(["a"]);
  const features = ["a", "color=red", "c"];
  expect(widestOf({ ...centroids, features }, ["a", "color", "c"])).toEqual(["a", "c"]); // at 0 and 1 rows hide each other
  expect(widestOf({ ...centroids, features }, ["a", "color"])).toEqual(["color=red", "c"]);
});

it("shows rounding errors as the 0 that they stand for", () => {
  expect(cleaned([[1e-17, 5, -3e-13], [0.2, -2e-16, NaN]])).toEqual([[0, 5, -3e-13], [0.2, 0, NaN]]);
});

it("tells clusters of a plane apart by their numbers", () => {
  expect([clustersIn([[0, 2], [0, 0]]), clustersIn([1, 0])]).toEqual([["0", "1", "2"], ["0", "1"]]);
});

it("puts the most frequent labels first, which an object does not", () => {
  expect(labelsOf({ 7: 200, 0: 3, 2: 21 })).toEqual([["7", 200], ["2", 21], ["0", 3]]);
  expect(labelsOf(null)).toEqual([]);
});

it("takes axes from the address where the model reads them, and two different ones", () => {
  const features = ["a", "b", "c"];
  expect([axesOf(features, "b", "b"), axesOf(features, "color=red", "c"), axesOf(features, "c", ""), axesOf(["a"], "a", "")]).toEqual([
    { x: "b", y: "a" },
    { x: "a", y: "c" },
    { x: "c", y: "" },
    { x: "a", y: "" },
  ]);
});

it("shows the panels that mean something, by what the job says", () => {
  const of = (task: string, model: object) => panelsOf({ request: { task, model } } as never);
  expect(panelsOf({ request: { task: "regression", model: { kind: "mlp" } }, kind: "slice" } as never)).toEqual(["settings", "log"]);
  expect(of("clustering", { kind: "anything" })).toEqual(["curves", "clusters", "boundary", "evaluation", "rows", "diagnosis", "replay", "repeat", "settings", "log"]);
  expect(of("classification", { kind: "mlp" })).toEqual(["curves", "network", "layers", "boundary", "slice", "evaluation", "rows", "diagnosis", "replay", "repeat", "settings", "log"]);
  expect(of("classification", { kind: "perceptron" })).toEqual(["curves", "network", "layers", "boundary", "updates", "evaluation", "rows", "diagnosis", "replay", "repeat", "settings", "log"]);
  expect(of("classification", { layers: [{ kind: "conv2d" }] })).toEqual(["curves", "images", "network", "layers", "slice", "evaluation", "rows", "diagnosis", "replay", "repeat", "settings", "log"]);
});

it("names all centroids, and of many the nearest first", () => {
  expect([nearestOf([3, 1, 2], 3), nearestOf([3, 1, 2, 0.5], 2)]).toEqual([[0, 1, 2], [3, 1]]);
});
