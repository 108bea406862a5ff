import { describe, expect, it } from "vitest";
import { moved, strongest } from "~/charts/cells";
import { changesOf, fieldsOf, foundFor, givenIn, ONLY_EMPTY } from "~/views/dataset/reading";
import { grouped, MOST_CLASSES } from "~/views/dataset/scatter";

const words = { others: "others", missing: "missing", range: (low: number, high: number) => `${low}…${high}`, name: String };

describe("how a file was read", () => {
  const source = { kind: "upload", format: "csv", read: { delimiter: ";", header: true, comment: null, missing: ["NA"], columns: {} }, given: { missing: "", words: ["zip", "id"] } };
  it("is told by field", () => {
    expect(foundFor(source, "delimiter")).toBe(";");
    expect(foundFor(source, "header")).toBe("true");
    expect(foundFor(source, "comment")).toBe("none");
    expect(foundFor(source, "missing")).toBeUndefined();
    expect(foundFor(source, "encoding")).toBeUndefined();
    expect(givenIn(source)).toMatchObject({ delimiter: "", missing: ONLY_EMPTY, words: "zip,id" });
  });
  it("is changed by what differs alone", () => {
    expect(changesOf(source, givenIn(source))).toEqual({});
    const form = { ...givenIn(source), delimiter: "\t", header: "false", skip_lines: "2", missing: "", words: "zip, code" };
    expect(changesOf(source, form)).toEqual({ delimiter: "\t", header: false, skip_lines: 2, missing: null, words: ["zip", "code"] });
    expect(changesOf(source, { ...givenIn(source), words: "" })).toEqual({ words: null });
  });
  it("has the fields of its format", () => {
    expect(fieldsOf({ format: "parquet" })).toEqual([]);
    expect(fieldsOf({ files: [{ format: "xlsx" }] })).toContain("sheet");
    expect(fieldsOf({ format: "images" })).toEqual(["image_size", "image_mode"]);
  });
});

describe("points in colours", () => {
  it("are grouped by class, in order, and keep their rows", () => {
    const cells = [[1, 2, "b"], [2, 3, "a"], [3, 4, "b"], [null, 4, "b"], [5, "NaN", "a"], [6, 7, null]];
    expect(grouped(cells, [0, 10, 20, 30, 40, 50], false, words)).toEqual([
      { name: "b", x: [1, 3], y: [2, 4], rows: [0, 20] },
      { name: "a", x: [2], y: [3], rows: [10] },
      { name: "missing", x: [6], y: [7], rows: [50] },
    ]);
  });
  it("share a colour where there are many classes", () => {
    const cells = Array.from({ length: 40 }, (_, n) => [n, n, `c${n % 20 < 12 ? n % 3 : n % 20}`]);
    const found = grouped(cells, cells.map((_, n) => n), false, words);
    expect(found.length).toBe(MOST_CLASSES + 1);
    expect(found.at(-1)?.name).toBe("others");
    expect(found.reduce((sum, group) => sum + group.x.length, 0)).toBe(40);
  });
  it("are parted into ranges of as many points where numbers differ", () => {
    const cells = Array.from({ length: 100 }, (_, n) => [n, n, (n * 37) % 100]);
    const found = grouped(cells, cells.map((_, n) => n), true, words);
    expect(found.map((group) => group.name)).toEqual(["0…20", "20…40", "40…59", "59…79", "79…99"]);
    expect(found.every((group) => group.x.length >= 19 && group.x.length <= 21)).toBe(true);
    const few = grouped(cells.map((cell) => [...cell.slice(0, 2), (cell[2] as number) % 2]), cells.map((_, n) => n), true, words);
    expect(few.map((group) => group.name)).toEqual(["0", "1"]);
  });
});

describe("correlations", () => {
  it("are listed from the strongest, each pair once", () => {
    expect(strongest(["a", "b", "c"], [[1, 0.2, null], [0.2, 1, -0.9], [null, -0.9, 1]])).toEqual([["b", "c", -0.9], ["a", "b", 0.2]]);
  });
  it("are walked through by arrow keys", () => {
    expect(moved([1, 1], "ArrowRight", 3)).toEqual([1, 2]);
    expect(moved([1, 2], "ArrowRight", 3)).toEqual([1, 2]);
    expect(moved([0, 0], "ArrowUp", 3)).toEqual([0, 0]);
    expect(moved([0, 1], "End", 3)).toEqual([0, 2]);
    expect(moved([0, 1], "Tab", 3)).toBeNull();
  });
});
