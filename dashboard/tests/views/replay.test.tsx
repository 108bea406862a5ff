import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, expect, it } from "vitest";
import type { Schema } from "~/api/client";
import { chooseLanguage } from "~/text/language";
import { ReplayOutcome } from "~/views/job/panels/ReplayOutcome";

beforeEach(() => chooseLanguage("en"));

const shown = (found: Partial<Schema["ReplayResult"]>) => {
  const page = document.createElement("div");
  const whole = { agrees: true, from_epoch: 4, to_epoch: 6, compared: { curve_points: 12, series: ["train_loss", "validation_loss"], weights_of_epochs: [6] }, first_difference: null, versions: { then: { numpy: "2.0", processor: "one" }, now: { numpy: "2.0", processor: "other" } }, ...found };
  void act(() => render(<ReplayOutcome found={whole as Schema["ReplayResult"]} />, page));
  return page;
};

it("says that every bit agrees, and what was compared", () => {
  const page = shown({});
  expect(page.querySelector(".notice.success")?.textContent).toContain("Every bit agreesEpochs 5 to 6. 12 points of 2 curves were compared, and the weights and the optimizer's vectors after these epochs: 6.");
  expect(page.querySelector("dl")).toBeNull();
});

it("names the first number that does not agree, with all of its digits", () => {
  const page = shown({ agrees: false, first_difference: { what: "curve", name: "train_loss", at: 5, index: null, then: 0.1 + 0.2, now: 0.3 } });
  expect(page.querySelector(".notice.warning")?.textContent).toContain("Not every bit agrees");
  expect([...page.querySelectorAll("dd")].map(({ textContent }) => textContent)).toEqual(["Loss (training), epoch 5", "0.30000000000000004", "0.3"]);
});

it("has the versions of both, and marks those that differ", () => {
  const bold = (found: Partial<Schema["ReplayResult"]>) => [...shown(found).querySelectorAll("td strong")].map(({ textContent }) => textContent);
  expect(bold({})).toEqual(["one", "other"]);
  expect(bold({ versions: { then: null, now: { numpy: "2.0" } } })).toEqual([]);
});
