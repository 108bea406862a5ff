import { expect, it } from "vitest";
import { binned } from "~/charts/binned";
import { chosenEpoch } from "~/elements/EpochSlider";

it("counts each finite number within the range once, the greatest in the last bin", () => {
  expect(binned([0, 0.9, 1, 2, 2.5, NaN], [0, 2], 2)).toEqual({ edges: [0, 1, 2], counts: [2, 2] });
});

it.each([["last", 30], ["12", 10], ["0", 0], ["nonsense", 30]])("of epochs 0, 10 and 30, %s means %i", (value, epoch) => {
  expect(chosenEpoch([0, 10, 30], value)).toBe(epoch);
});
