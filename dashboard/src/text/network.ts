/** Texts of the drawing of a network. */
import { translated } from "./language";

export const networkText = translated(
  {
    more: (count: string) => `${count} more`,
    elided: (shown: string, units: string) => `${shown} of ${units} units are drawn.`,
    positive: "positive",
    negative: "negative",
    legend: "The wider a line, the larger the number.",
    keys: "Arrow keys go from part to part, Enter chooses one.",
  },
  {
    more: (count: string) => `mais ${count}`,
    elided: (shown: string, units: string) => `${shown} de ${units} unidades são desenhadas.`,
    positive: "positivo",
    negative: "negativo",
    legend: "Quanto mais larga a linha, maior o número.",
    keys: "As setas vão de parte em parte, Enter escolhe uma.",
  },
);
