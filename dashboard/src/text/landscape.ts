/** Texts of the drawing of a landscape. */
import { translated } from "./language";

export const landscapeText = translated(
  {
    start: (x: string, y: string) => `Start at w₁ = ${x}, w₂ = ${y}. Drag it, or move it with the arrow keys; with Shift in larger steps.`,
    minimum: (x: string, y: string) => `Minimum at ${x}, ${y}`,
    legend: "Dark is low, and lines of equal cost grow by one factor from each to the next. ◎ the start, + a minimum.",
  },
  {
    start: (x: string, y: string) => `Início em w₁ = ${x}, w₂ = ${y}. Arraste-o, ou mova-o com as setas; com Shift, em passos maiores.`,
    minimum: (x: string, y: string) => `Mínimo em ${x}, ${y}`,
    legend: "Escuro é baixo, e as linhas de igual custo crescem por um mesmo fator de uma para a outra. ◎ o início, + um mínimo.",
  },
);
