import { describe, expect, it } from "vitest";
import { fieldsOf } from "~/forms/schema";
import { changed, difference, isSame, moved, pointerOf, shown, typed, unchanged, type JsonObject } from "~/forms/values";
import { COMPLETED, SCHEMA } from "./made-up";

const FIELDS = fieldsOf(SCHEMA);
const put = (changes: JsonObject, path: (string | number)[], value: never | unknown) => changed(changes, COMPLETED, path, value as never, FIELDS);

describe("what is shown", () => {
  it("is what was changed, or else what the API filled in", () => {
    expect(shown({}, COMPLETED, ["epochs"])).toBe(100);
    expect(shown({ epochs: 5 }, COMPLETED, ["epochs"])).toBe(5);
    expect(shown({ split: { test: 0.1 } }, COMPLETED, ["split", "validation"])).toBe(0.2);
  });

  it("takes nothing from a thing of another kind", () => {
    expect(shown({ optimizer: "bouncer" }, COMPLETED, ["optimizer", "learning_rate"])).toBeUndefined();
    expect(shown({ optimizer: { kind: "bouncer" } }, COMPLETED, ["optimizer", "learning_rate"])).toBeUndefined();
    expect(shown({ optimizer: { kind: "plain" } }, COMPLETED, ["optimizer", "learning_rate"])).toBe(0.05);
  });

  it("takes nothing from the entries of a list that was changed", () => {
    const model = { kind: "net", layers: [{ units: 3 }] };
    expect(shown({ model }, COMPLETED, ["model", "layers", 0, "activation"])).toBeUndefined();
  });
});

describe("what is sent", () => {
  it("is what was changed alone", () => {
    expect(put({}, ["epochs"], 7)).toEqual({ epochs: 7 });
    expect(put({}, ["split", "test"], 0.1)).toEqual({ split: { test: 0.1 } });
  });

  it("keeps what is not that kind's own default, since the API would take that", () => {
    expect(put({}, ["optimizer", "momentum"], 0.5)).toEqual({ optimizer: { kind: "plain", learning_rate: 0.05, momentum: 0.5 } });
    expect(put({ optimizer: "bouncer" }, ["optimizer", "bounce"], 0.9)).toEqual({ optimizer: { kind: "bouncer", bounce: 0.9 } });
  });

  it("keeps a list whole", () => {
    expect(put({}, ["model", "layers", 1, "units"], 5)).toEqual({
      model: { kind: "net", layers: [{ units: 16 }, { units: 5, activation: { kind: "leaky", alpha: 0.2 } }] },
    });
    expect(put({}, ["model", "layers", 0, "activation"], "leaky")).toMatchObject({ model: { layers: [{ units: 16, activation: "leaky" }, { units: 4 }] } });
  });

  it("ends with nothing once everything was taken back", () => {
    const once = put(put({}, ["split", "test"], 0.1), ["epochs"], 5);
    expect(unchanged(unchanged(once, ["split", "test"]), ["epochs"])).toEqual({});
    expect(unchanged({}, ["split", "test"])).toEqual({});
    const layers: JsonObject = { model: { kind: "net", layers: [{ units: 3 }, { units: 4, activation: "leaky" }] } };
    expect(unchanged(layers, ["model", "layers", 1, "activation"])).toEqual({ model: { kind: "net", layers: [{ units: 3 }, { units: 4 }] } });
  });
});

describe("a job like another", () => {
  it("is what differs from the defaults", () => {
    const request = { ...COMPLETED, epochs: 50, split: { validation: 0.2, test: 0.1 }, optimizer: { kind: "bouncer", learning_rate: 0.1, bounce: 0.7 } };
    expect(difference(request, COMPLETED, FIELDS)).toEqual({ epochs: 50, split: { test: 0.1 }, optimizer: { kind: "bouncer", bounce: 0.7 } });
    expect(difference(COMPLETED, COMPLETED, FIELDS)).toEqual({});
  });
});

describe("what is typed", () => {
  it.each([
    ["", undefined],
    ["0.01", 0.01],
    ["0,01", 0.01],
    [" 1e-8 ", 1e-8],
    ["-3", -3],
    [".5", 0.5],
    ["1,000.5", "1,000.5"],
    ["abc", "abc"],
    ["0x10", "0x10"],
    ["Infinity", "Infinity"],
  ])("%j is %j", (text, value) => expect(typed(text)).toBe(value));
});

it("moves entries of a list", () => {
  expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
  expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
  expect(moved(["a"], 3, 0)).toEqual(["a"]);
});

it("points to places as RFC 6901 does", () => {
  expect(pointerOf(["features", 0, "a/b~c"])).toBe("/features/0/a~1b~0c");
});

it("compares by what things hold", () => {
  expect(isSame({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true);
  expect(isSame({ a: 1 }, { a: 1, b: undefined })).toBe(false);
  expect(isSame([1, 2], [2, 1])).toBe(false);
});
