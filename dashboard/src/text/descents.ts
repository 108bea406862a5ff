/** Texts of descents over the cost of a dataset. */
import { translated } from "./language";

export const descentsText = translated(
  {
    map: "Map of the cost J(w, b)",
    curve: "Curve of the cost",
    batches: { full: "all rows", one: "one row", of: (rows: string) => `batches of ${rows}` },
  },
  {
    map: "Mapa do custo J(w, b)",
    curve: "Curva do custo",
    batches: { full: "todas as linhas", one: "uma linha", of: (rows: string) => `lotes de ${rows}` },
  },
);
