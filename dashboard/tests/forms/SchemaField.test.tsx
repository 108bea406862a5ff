import { render } from "preact";
import { useState } from "preact/hooks";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Form } from "~/forms/form";
import { fieldsOf } from "~/forms/schema";
import { SchemaFields } from "~/forms/SchemaField";
import { changed, unchanged, type JsonObject } from "~/forms/values";
import { CATALOG, COMPLETED, SCHEMA } from "./made-up";

const FIELDS = fieldsOf(SCHEMA);
let page: HTMLElement;
let changes: JsonObject;
let errors: Record<string, string>;

function Page() {
  const [held, hold] = useState<JsonObject>({});
  changes = held;
  const form: Form = {
    changes: held,
    completed: COMPLETED,
    catalog: CATALOG,
    set: (path, value) => hold(changed(held, COMPLETED, path, value, FIELDS)),
    reset: (path) => hold(unchanged(held, path)),
    errorAt: (pointer) => errors[pointer],
    isHidden: (pointer) => pointer === "/target",
    isOptional: () => false,
    choicesAt: (pointer) => (pointer === "/weights" ? ["yes", "no"] : undefined),
    noteAt: (pointer) => `note of ${pointer}`,
  };
  return <SchemaFields form={form} fields={FIELDS} path={[]} />;
}

const field = (pointer: string) => page.querySelector<HTMLElement>(`[data-pointer="${pointer}"]`)!;
const control = (pointer: string) => field(pointer).querySelector<HTMLInputElement & HTMLSelectElement>("input, select")!;
const write = (pointer: string, value: string) =>
  act(() => {
    const found = control(pointer);
    found.value = value;
    found.dispatchEvent(new Event(found.tagName === "SELECT" ? "change" : "input", { bubbles: true }));
  });
const press = (label: string) => act(() => [...page.querySelectorAll("button")].find((button) => (button.getAttribute("aria-label") ?? button.textContent) === label)!.click());
const units = () => [0, 1, 2].map((place) => page.querySelector<HTMLInputElement>(`[data-pointer="/model/layers/${place}/units"] input`)?.value);

beforeEach(() => {
  errors = { "/epochs": "must be greater than 0" };
  page = document.createElement("div");
  document.body.append(page);
  act(() => render(<Page />, page));
});
afterEach(() => {
  render(null, page);
  page.remove();
});

describe("a form of a schema", () => {
  it("shows what the API filled in, and hides what means nothing", () => {
    expect(control("/epochs").value).toBe("100");
    expect(control("/optimizer").value).toBe("plain");
    expect(field("/target")).toBeNull();
    expect(field("/epochs").textContent).toContain("≥ 1");
  });

  it("shows an optimizer that was added, with its summary, its formula and its fields", async () => {
    await write("/optimizer", "bouncer");
    expect(changes).toEqual({ optimizer: "bouncer" });
    const union = field("/optimizer").closest(".union")!;
    expect([...control("/optimizer").options].map((option) => option.textContent)).toEqual(["PLAIN", "BOUNCER"]);
    expect(union.textContent).toContain("The bouncer.");
    expect(union.querySelector(".formula")?.textContent).toContain("bouncer");
    expect(control("/optimizer/bounce").value).toBe("0.5");
    expect(field("/optimizer/bounce").textContent).toContain("The share of the speed that is kept.");
    await write("/optimizer/bounce", "0,25");
    expect(changes).toEqual({ optimizer: { kind: "bouncer", bounce: 0.25 } });
    await press("Optimizer: back to the default");
    expect(changes).toEqual({});
    expect(control("/optimizer").value).toBe("plain");
  });

  it("adds, moves and removes layers, each with its activation", async () => {
    expect(units().slice(0, 2)).toEqual(["16", "4"]);
    await press("Move Layers 1 down");
    expect(units().slice(0, 2)).toEqual(["4", "16"]);
    expect(changes).toEqual({ model: { kind: "net", layers: [{ units: 4, activation: { kind: "leaky", alpha: 0.2 } }, { units: 16 }] } });
    await press("+ Add layers");
    expect(units()).toEqual(["4", "16", "16"]);
    const handle = page.querySelectorAll<HTMLElement>(".handle")[2]!;
    await act(() => void handle.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true })));
    expect(page.querySelector("[role=status]")?.textContent).toBe("Layers 3 is now at place 2");
    expect(document.activeElement).toBe(page.querySelectorAll(".handle")[1]);
    await press("Remove Layers 1");
    expect(units().slice(0, 2)).toEqual(["16", "16"]);
    expect(page.textContent).toContain("note of /model/layers/1");
  });

  it("says what is wrong at the field, and sends what was typed", async () => {
    expect(field("/epochs").querySelector("[role=alert]")?.textContent).toBe("must be greater than 0");
    expect(control("/epochs").getAttribute("aria-invalid")).toBe("true");
    await write("/epochs", "many");
    expect(changes).toEqual({ epochs: "many" });
    await write("/epochs", "");
    expect(changes).toEqual({});
  });

  it("takes a word or a number, and numbers by name", async () => {
    await write("/batch_size", "full");
    expect(changes).toEqual({ batch_size: "full" });
    await write("/batch_size", "");
    expect(changes).toEqual({ batch_size: 16 });
    await write("/weights", "");
    const yes = page.querySelector<HTMLInputElement>('[aria-label="Weights: yes"]')!;
    await act(() => {
      yes.value = "2.5";
      yes.dispatchEvent(new Event("input", { bubbles: true }));
    });
    expect(changes).toEqual({ batch_size: 16, weights: { yes: 2.5 } });
  });
});
