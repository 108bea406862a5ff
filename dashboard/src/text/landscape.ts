/** Texts of the drawing of a landscape. */
import { translated } from "./language";

export const landscapeText = translated(
  {
    start: (xName: string, x: string, yName: string, y: string) => `Start at ${xName} = ${x}, ${yName} = ${y}. Drag it, or move it with the arrow keys; with Shift in larger steps.`,
    minimum: (x: string, y: string) => `Minimum at ${x}, ${y}`,
    legend: "Dark is low, and lines of equal cost grow by one factor from each to the next.",
    startMark: "◎ the start.",
    minimumMark: "+ a minimum.",
    startOne: (name: string, value: string) => `Start at ${name} = ${value}. Drag it, or move it with the arrow keys; with Shift in larger steps.`,
  },
  {
    start: (xName: string, x: string, yName: string, y: string) => `Início em ${xName} = ${x}, ${yName} = ${y}. Arraste-o, ou mova-o com as setas; com Shift, em passos maiores.`,
    minimum: (x: string, y: string) => `Mínimo em ${x}, ${y}`,
    legend: "Escuro é baixo, e as linhas de igual custo crescem por um mesmo fator de uma para a outra.",
    startMark: "◎ o início.",
    minimumMark: "+ um mínimo.",
    startOne: (name: string, value: string) => `Início em ${name} = ${value}. Arraste-o, ou mova-o com as setas; com Shift, em passos maiores.`,
  },
);
