import { expect, it } from "vitest";
import { columnsFor, COMPARISONS, descentsOf, requestOf, usualColumns } from "~/views/dataset/descents/asked";
import type { Dataset } from "~/views/dataset";

const dataset = (...columns: [string, string, number, number?][]) =>
  ({ id: "ds_1", rows: 13, columns: columns.map(([name, kind, distinct, missing = 0]) => ({ name, kind, distinct, missing, role: name === "id" ? "index" : null })) }) as unknown as Dataset;

it.each([
  [dataset(["months", "integer", 13], ["weight", "numeric", 13]), { feature: "months", target: "weight" }],
  [dataset(["x", "numeric", 90], ["y", "numeric", 99], ["moon", "categorical", 2]), { feature: "y", target: "moon" }],
  [dataset(["id", "integer", 99], ["price", "integer", 50], ["area", "integer", 47], ["road", "categorical", 2], ["kind", "categorical", 3]), { feature: "area", target: "price" }],
  [dataset(["word", "text", 9], ["x", "numeric", 9]), { feature: "", target: "x" }],
])("of %o it predicts %o at first", (given, found) => {
  expect(usualColumns(given)).toEqual(found);
});

it("numbers are predicted by, and numbers or two classes are predicted", () => {
  const found = columnsFor(dataset(["id", "integer", 9], ["x", "numeric", 9], ["road", "categorical", 2], ["kind", "categorical", 3], ["old", "boolean", 2]));
  expect(found).toEqual({ features: ["x", "old"], targets: ["x", "road", "old"] });
});

it("the address holds descents, and nothing else is taken for one", () => {
  const descents = COMPARISONS.batches(13);
  expect(descents.map(({ batch_size }) => batch_size)).toEqual(["full", 4, 1]);
  expect(descentsOf(JSON.stringify(descents))).toEqual(descents);
  expect(["", "[]", "{}", "[1]", '[{"optimizer":{},"batch_size":1,"scaling":"none"}]', "null"].map(descentsOf)).toEqual(Array(6).fill(null));
});

it("rows with gaps are dropped where there are any, and a job's own defaults hold otherwise", () => {
  const asked = { feature: "x", target: "y", model: null, epochs: 5, start: null, hold: null, descents: COMPARISONS.scalings(13) };
  const preprocessing = (missing: number) => requestOf(dataset(["x", "numeric", 9, missing], ["y", "numeric", 9]), asked).descents!.map((each) => each.preprocessing);
  expect(preprocessing(0)).toEqual([{ scaling: "none" }, { scaling: "standard" }]);
  expect(preprocessing(2)).toEqual([{ scaling: "none", missing: "drop" }, { scaling: "standard", missing: "drop" }]);
});
