import { beforeEach, describe, expect, it } from "vitest";
import { chooseLanguage } from "~/text/language";
import { seriesName } from "~/text/series";

beforeEach(() => chooseLanguage("en"));

describe("names of curves", () => {
  it.each([
    ["train_loss", "Loss (training)", "Perda (treinamento)"],
    ["validation_r2", "R² (validation)", "R² (validação)"],
    ["batch_loss", "Loss of each batch", "Perda de cada lote"],
    ["train_new_metric", "New metric (training)", "New metric (treinamento)"],
    ["some_count", "Some count", "Some count"],
  ])("%s is %s, %s", (name, english, portuguese) => {
    expect(seriesName(name)).toBe(english);
    chooseLanguage("pt-BR");
    expect(seriesName(name)).toBe(portuguese);
  });
});
