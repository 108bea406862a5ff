import { describe, expect, it } from "vitest";
import { entryOf } from "~/forms/form";
import { fieldsOf, humanised } from "~/forms/schema";
import { CATALOG, SCHEMA } from "./made-up";

const fields = fieldsOf(SCHEMA);
const named = (name: string) => fields.find((field) => field.name === name)!;

describe("a schema's fields", () => {
  it("have titles as sentences have them", () => {
    expect(named("batch_size").title).toBe("Batch size");
    expect(named("split").title).toBe("Split");
    expect(humanised("l1")).toBe("L1");
  });

  it("know their bounds, and whether they may be left to the default", () => {
    expect(named("epochs")).toMatchObject({ isNullable: true, shape: { type: "number", isInteger: true, minimum: 1, maximum: 1000000 } });
    const bouncer = named("optimizer").shape;
    const member = bouncer.type === "union" ? bouncer.members[1]! : undefined;
    expect(member?.fields.map(({ name, shape }) => [name, shape])).toEqual([
      ["learning_rate", { type: "number", isInteger: false, above: 0 }],
      ["bounce", { type: "number", isInteger: false, minimum: 0, below: 1 }],
    ]);
  });

  it("take words beside numbers, and numbers by name", () => {
    expect(named("batch_size").shape).toMatchObject({ type: "either", words: ["full"], other: { type: "number" } });
    expect(named("weights").shape).toMatchObject({ type: "either", words: ["balanced"], other: { type: "map" } });
    expect(named("target").shape).toEqual({ type: "json" });
  });

  it("prefer the whole object to its short form", () => {
    const model = named("model").shape;
    const layers = model.type === "union" ? model.members[0]!.fields[0]! : undefined;
    expect(layers?.shape).toMatchObject({ type: "list", most: 5, item: { shape: { type: "object" } } });
  });

  it("take their explanation from the object where the property has none", () => {
    expect(named("split").description).toBe("Who goes where.");
  });
});

describe("the catalog", () => {
  it("gives an entry that was added since", () => {
    const shape = named("optimizer").shape;
    const members = shape.type === "union" ? shape.members : [];
    expect(members.map((member) => member.kind)).toContain("bouncer");
    expect(entryOf(CATALOG, members, "bouncer")).toMatchObject({ formula: "bouncer(x)" });
    expect(entryOf(undefined, members, "bouncer")).toBeUndefined();
  });
});
