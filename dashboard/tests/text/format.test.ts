import { beforeEach, describe, expect, it } from "vitest";
import { bytes, duration, number, percent } from "~/text/format";
import { chooseLanguage } from "~/text/language";

beforeEach(() => chooseLanguage("en"));

describe("numbers", () => {
  it.each([
    [0, "0"], [1234.5678, "1,235"], [-0.5, "−0.5"], [1e-7, "1E−7"], ["NaN", "NaN"], ["Infinity", "∞"], ["-Infinity", "−∞"], [null, "–"],
  ])("%s is %s", (value, written) => expect(number(value)).toBe(written));
  it("follow the language", () => {
    chooseLanguage("pt-BR");
    expect(number(1234.5678)).toBe("1.235");
    expect(percent(0.953, 1)).toBe("95,3%");
  });
  it.each([[0.0031, "3.1 ms"], [4.25, "4.3 s"], [125, "2 min 5 s"], [12_000, "3 h 20 min"], [NaN, "–"]])("%s s is %s", (seconds, written) => expect(duration(seconds)).toBe(written));
  it("sizes", () => expect(bytes(3858)).toBe("3.86 kB"));
});
