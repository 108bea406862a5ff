import { beforeEach, describe, expect, it } from "vitest";
import { chooseLanguage } from "~/text/language";
import { imagesRead, likeliest, placeOnSheet, queryOf, said, sortsOf } from "~/views/job/panels/rows";

beforeEach(() => chooseLanguage("en"));

describe("rows", () => {
  const asked = { split: "validation", epoch: 3, sort: "loss", only: "wrong", truth: "", predicted: "" } as const;
  it("are asked for by what is chosen", () => {
    expect(queryOf(asked, { limit: 30, offset: 60 })).toEqual({ split: "validation", epoch: "3", sort: "loss", only: "wrong", limit: 30, offset: 60 });
    expect(queryOf({ ...asked, sort: "-confidence", truth: "8", predicted: "1" }, { limit: 1, offset: 0 })).toMatchObject({ sort: "confidence", order: "desc", true: "8", predicted: "1" });
  });
  it("are put in order by the numbers that they have", () => {
    expect(sortsOf({ loss: {}, mean_loss: {}, confidence: {} })).toEqual(["loss", "confidence", "-confidence", "row"]);
    expect(sortsOf({ loss: {}, residual: {}, leverage: {} })).toEqual(["loss", "leverage", "row"]);
  });
  it("have targets of any kind", () => expect([null, 0.5, "setosa", { a: 1, b: null }].map(said)).toEqual(["–", "0.5", "setosa", "a: 1 · b: –"]));
  it("have probabilities, the most likely first, and of tags as they are", () => {
    expect(likeliest({ 0: 0.1, 1: 0.7, 2: 0.2 }).map(([name]) => name)).toEqual(["1", "2", "0"]);
    expect(likeliest({ wet: { yes: 0.1 }, cold: 0.9 } as never).map(([name]) => name)).toEqual(["wet", "cold"]);
    expect(likeliest(null)).toEqual([]);
  });
});

describe("pictures", () => {
  const images = (name: string) => ({ name, width: 8, height: 8, channels: 1, low: 0, high: 16 });
  it("are those that the model reads", () => {
    const all = [images("photo"), images("pixel")];
    expect(imagesRead(all, ["pixel_0_0", "pixel_0_1"])?.name).toBe("pixel");
    expect(imagesRead(all, ["photo"])?.name).toBe("photo");
    expect(imagesRead(all, ["pixels", "photograph", "x"])).toBeUndefined();
  });
  it("lie on a sheet with gaps of two pixels, which is no wider than its images", () => {
    const sheet = { address: "", images: { width: 8, height: 4 }, count: 30, columns: 6, scale: 2 };
    expect(placeOnSheet(sheet, 16, 8)).toEqual({ left: 36, top: 10, height: 8, sheet: 106 });
    expect(placeOnSheet({ ...sheet, count: 3 }, 8, 2)).toEqual({ left: 18, top: 0, height: 4, sheet: 26 });
  });
});
