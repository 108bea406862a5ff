import { describe, expect, test } from "vitest";
import { cellsOfRecord, pictureOf, recordOf, scaledDown, unitsOf, type Ink } from "~/views/model/drawing";
import { NoRows, placeOf, rowsOf } from "~/views/model/rows";
import { choicesOf, metricRows, plain, pointerOf, readValues, sharesOf, usualOf, type Column, type Input } from "~/views/model/values";

const input = (name: string, kind: string, more: Partial<Input> = {}): Input => ({ name, kind, required: true, categories: null, other: false, shape: null, words: null, read: null, ...more });
const column = (name: string, more: Partial<Column> = {}) => ({ name, min: null, max: null, mean: null, quantiles: null, top: null, ...more }) as Column;

describe("rows that are pasted", () => {
  const inputs = ["a", "b"];
  test.each([
    ["a,b\n1,2\n3,x", { columns: ["a", "b"], data: [["1", "2"], ["3", "x"]] }],
    ["\uFEFFb\ta\r\n1\t2\r\n\r\n", { columns: ["b", "a"], data: [["1", "2"]] }],
    ["1;2\n3;", { columns: ["a", "b"], data: [["1", "2"], ["3", null]] }],
    ['a,b\n"x, ""y""\nz",2', { columns: ["a", "b"], data: [['x, "y"\nz', "2"]] }],
    ["a,b,target\n1,2,yes", { columns: ["a", "b", "target"], data: [["1", "2", "yes"]] }],
    ['[{"a": 1, "b": null}, {"b": "x"}]', { columns: ["a", "b"], data: [[1, null], [null, "x"]] }],
    ['{"a": 1, "b": 2}\n{"a": 3, "b": 4}', { columns: ["a", "b"], data: [[1, 2], [3, 4]] }],
    ['{"a": 1, "b": 2}', { columns: ["a", "b"], data: [[1, 2]] }],
    ['{"records": [{"a": 1, "b": 2}]}', { columns: ["a", "b"], data: [[1, 2]] }],
    ['{"columns": ["a", "b"], "data": [[1, [2]]]}', { columns: ["a", "b"], data: [[1, [2]]] }],
  ])("%j", (text, expected) => {
    expect(rowsOf(text, inputs)).toEqual(expected);
  });

  test.each([
    ["", "noRows", []],
    ["a,b", "noRows", []],
    ["[]", "noRows", []],
    ["1,2,3", "noHeader", [3, 2]],
    ["a,b\n1,2\n3", "cells", [2, 1, 2]],
    ['{"columns": ["a"], "data": [[1, 2]]}', "cells", [1, 2, 1]],
    ["[1, 2]", "notRows", []],
    ["{nonsense", "notJson", undefined],
    ["a,b\n" + "1,2\n".repeat(100_001), "tooMany", [100_000]],
  ])("%.20s is refused", (text, code, given) => {
    try {
      rowsOf(text, inputs);
      expect.unreachable();
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(NoRows);
      expect((thrown as NoRows).code).toBe(code);
      if (given) expect((thrown as NoRows).given).toEqual(given);
    }
  });

  test("a problem is told by row and column", () => {
    expect(placeOf("/data/3/1", ["a", "b"])).toEqual({ row: 4, column: "b" });
    expect(placeOf("/data/0", ["a"])).toEqual({ row: 1, column: undefined });
    expect(placeOf("/columns/1", ["a", "b"])).toEqual({ column: "b" });
    expect(placeOf("/columns", ["a"])).toEqual({});
  });
});

describe("values", () => {
  test("usual values are those in the middle of the data", () => {
    expect(usualOf(input("a", "numeric"), column("a", { quantiles: { "0.5": 1.5 } }))).toBe(1.5);
    expect(usualOf(input("a", "integer"), column("a", { quantiles: { "0.5": 1.5 } }))).toBe(2);
    expect(usualOf(input("a", "numeric"), undefined)).toBeNull();
    expect(usualOf(input("a", "categorical", { categories: ["x", "y"] }), column("a", { top: [{ value: "y", count: 2 }] }))).toBe("y");
    expect(usualOf(input("a", "categorical", { categories: ["x", "y"] }), column("a", { top: [{ value: "z", count: 2 }] }))).toBe("x");
    expect(usualOf(input("a", "boolean"), column("a", { top: [{ value: "true", count: 2 }] }))).toBe(true);
    expect(usualOf(input("a", "vector", { shape: [3] }), column("a", { mean: 2 }))).toEqual([2, 2, 2]);
  });

  test("words of yes and no are sent as they are, truth as truth", () => {
    expect(choicesOf(input("a", "boolean", { words: ["não", "sim"] }))?.map(({ cell }) => cell)).toEqual(["não", "sim"]);
    expect(choicesOf(input("a", "boolean"))?.map(({ cell }) => cell)).toEqual([false, true]);
    expect(choicesOf(input("a", "numeric"))).toBeNull();
  });

  test("what stands in an address is read or left out", () => {
    expect(readValues('{"a":1}')).toEqual({ a: 1 });
    for (const text of ["", "[1]", "null", "{"]) expect(readValues(text)).toEqual({});
    expect(pointerOf("a/b~c")).toBe("a~1b~0c");
  });

  test("metrics and probabilities come in pairs and bars", () => {
    expect(metricRows({ epoch: 3, train_loss: 1, validation_loss: 2, test_r2: 0.5, rank: 1 })).toEqual([
      { name: "loss", train: 1, validation: 2 },
      { name: "r2", test: 0.5 },
    ]);
    expect(sharesOf({ x: 0.25, y: 0.75 })).toEqual([{ name: "x", value: 0.25 }, { name: "y", value: 0.75 }]);
    expect(sharesOf({ tag: { no: 0.1, yes: 0.9 } })).toEqual([{ name: "tag: yes", value: 0.9 }]);
    expect(sharesOf(undefined)).toEqual([]);
    expect(plain([1, { a: "x" }])).toBe("1; a: x");
  });
});

describe("drawings", () => {
  const square = (size: number, left: number, top: number, side: number): Ink => {
    const data = new Float32Array(size * size);
    for (let y = top; y < top + side; y++) data.fill(1, y * size + left, y * size + left + side);
    return { width: size, height: size, data };
  };
  const middleOf = (cells: number[][]) => {
    const all = cells.flatMap((line, y) => line.map((cell, x) => [cell, x + 0.5, y + 0.5] as const));
    const sum = all.reduce((total, [cell]) => total + cell, 0);
    return [1, 2].map((part) => all.reduce((total, entry) => total + entry[0] * (entry[part as 1 | 2] as number), 0) / sum);
  };

  test("nothing drawn is nothing", () => {
    expect(scaledDown({ width: 10, height: 10, data: new Float32Array(100) }, 8, 8)).toBeNull();
  });

  test("a large picture has a margin of 4 of 28 cells, wherever it was drawn and however large", () => {
    for (const ink of [square(280, 10, 20, 100), square(280, 150, 150, 40)]) {
      const cells = scaledDown(ink, 28, 28) as number[][];
      expect(middleOf(cells).every((place) => Math.abs(place - 14) < 0.1)).toBe(true);
      const filled = cells.map((line) => line.filter((cell) => cell > 0.5).length);
      expect(filled.filter((count) => count > 0)).toEqual(Array(20).fill(20));
    }
  });

  test("a small picture is filled, and its darkest cell is full ink", () => {
    const cells = scaledDown(square(280, 30, 60, 56), 8, 8) as number[][];
    expect(cells.flat().every((cell) => cell === 1)).toBe(true);
  });

  const grid = Array.from({ length: 64 }, (_, k) => input(`pixel_${Math.floor(k / 8)}_${k % 8}`, "integer"));

  test("pixels' columns and image columns are pictures, other inputs are none", () => {
    expect(pictureOf(grid)).toMatchObject({ rows: 8, columns: 8, column: null });
    expect(pictureOf([input("image", "image", { shape: [28, 28] })])).toMatchObject({ rows: 28, columns: 28, column: "image", channels: null });
    expect(pictureOf(grid.slice(0, 8))).toBeNull();
    expect(pictureOf([...grid.slice(0, 63), input("age", "numeric")])).toBeNull();
    expect(pictureOf([input("a", "numeric")])).toBeNull();
  });

  test("a picture goes into the data's units and back", () => {
    const picture = pictureOf(grid);
    if (!picture) throw new Error("no picture");
    const units = unitsOf(picture, grid.map(({ name }) => column(name, { min: 0, max: 16, mean: 4 })));
    expect(units).toEqual({ paper: 0, ink: 16 });
    expect(unitsOf(picture, grid.map(({ name }) => column(name, { min: 0, max: 255, mean: 220 })))).toEqual({ paper: 255, ink: 0 });
    const cells = Array.from({ length: 8 }, (_, row) => Array.from({ length: 8 }, (_, k) => (row + k) / 16));
    const record = recordOf(picture, cells, units, true);
    expect(record.pixel_3_5).toBe(8);
    expect(cellsOfRecord(picture, record, units)).toEqual(cells);
  });

  test("an image is sent by rows, each pixel with its colours", () => {
    const picture = pictureOf([input("image", "image", { shape: [2, 2, 3] })]);
    if (!picture) throw new Error("no picture");
    const record = recordOf(picture, [[0, 1], [0.5, 0]], { paper: 0, ink: 1 }, false);
    expect(record).toEqual({ image: [[[0, 0, 0], [1, 1, 1]], [[0.5, 0.5, 0.5], [0, 0, 0]]] });
  });
});
