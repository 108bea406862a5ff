/** Batch, mini-batch and stochastic gradient descent. */
import { number } from "~/text/format";
import { CostCurves, CostMap, descend, lastCost, leastCost, OF_WEIGHTS, plain, WEIGHTS, type Descents } from "../descents";
import { lesson } from "../lesson";
import { rounded, whole } from "../seeded";

interface Data {
  dataset: string;
  start: number[];
  rate: number;
  /** The size of the exercise's batches. */
  asked: number;
  found: Descents;
}

const EPOCHS = 20;
const SMALL = 4;

export const batches = lesson<Data, Descents>({
  name: "batches",
  english: {
    title: "Batch, mini-batch, stochastic",
    lead: "How many rows a step should look at.",
    parts: {
      sizes: {
        title: "Three ways to go through the rows",
        text: [
          "The cost is a mean over all rows. So is its gradient:",
          "$$\\nabla J = \\frac{1}{n} \\sum_i \\nabla \\ell_i$$",
          "*Batch* gradient descent computes all of that sum for each step. *Stochastic* gradient descent takes a step after each single row. *Mini-batches* lie between: a step after a few rows. One pass over all rows is an epoch.",
          "Here there are {rows} rows, and each descent goes through them {epochs} times, with the learning rate {rate}. In that time the batch takes {full_steps} steps, mini-batches of {small} rows take {small_steps}, and single rows take {one_steps}.",
        ],
      },
      noise: {
        title: "Cheap steps tremble",
        text: [
          "The gradient of a few rows is that of the whole cost and some noise. So the paths of small batches tremble, and some of their steps lead up. But they are many.",
          "After {epochs} epochs the batch is at {full_end}, mini-batches are at {small_end}, and single rows at {one_end}. The least cost is {least}.",
          "Near the minimum the noise stays, for each row pulls to a minimum of its own. There a smaller rate helps, or a larger batch.",
        ],
      },
    },
    picture: { map: "Three descents over the cost", curves: "The cost after each epoch", epoch: "epoch", full: "all rows", rows: "batches of", one: "single rows" },
    exercise: {
      ask: ["How many steps do batches of {asked} rows take in {epochs} epochs of {rows} rows?"],
      hint: "The last batch of an epoch may be smaller than the others. It is a step, too.",
      fields: { steps: "Steps" },
      right: "An epoch takes {each} steps, and {epochs} epochs take {told}.",
      wrong: { few: "That is too few: some rows would be left out.", many: "That is too many: some rows would come twice." },
    },
  },
  portuguese: {
    title: "Lote, minilote, estocástica",
    lead: "Quantas linhas um passo deve olhar.",
    parts: {
      sizes: {
        title: "Três modos de percorrer as linhas",
        text: [
          "O custo é uma média sobre todas as linhas. O gradiente dele também:",
          "$$\\nabla J = \\frac{1}{n} \\sum_i \\nabla \\ell_i$$",
          "A descida *em lote* calcula toda essa soma para cada passo. A descida *estocástica* dá um passo depois de cada linha. Os *minilotes* ficam no meio: um passo depois de algumas linhas. Uma passagem por todas as linhas é uma época.",
          "Aqui há {rows} linhas, e cada descida passa por elas {epochs} vezes, com a taxa de aprendizado {rate}. Nesse tempo o lote dá {full_steps} passos, minilotes de {small} linhas dão {small_steps}, e linhas sozinhas dão {one_steps}.",
        ],
      },
      noise: {
        title: "Passos baratos tremem",
        text: [
          "O gradiente de poucas linhas é o do custo inteiro mais um ruído. Por isso os caminhos de lotes pequenos tremem, e alguns de seus passos sobem. Mas são muitos.",
          "Depois de {epochs} épocas o lote está em {full_end}, os minilotes em {small_end}, e as linhas sozinhas em {one_end}. O menor custo é {least}.",
          "Perto do mínimo o ruído fica, pois cada linha puxa para um mínimo próprio. Ali ajuda uma taxa menor, ou um lote maior.",
        ],
      },
    },
    picture: { map: "Três descidas sobre o custo", curves: "O custo depois de cada época", epoch: "época", full: "todas as linhas", rows: "lotes de", one: "linhas sozinhas" },
    exercise: {
      ask: ["Quantos passos dão lotes de {asked} linhas em {epochs} épocas de {rows} linhas?"],
      hint: "O último lote de uma época pode ser menor que os outros. Ele também é um passo.",
      fields: { steps: "Passos" },
      right: "Uma época leva {each} passos, e {epochs} épocas levam {told}.",
      wrong: { few: "São poucos: algumas linhas ficariam de fora.", many: "São muitos: algumas linhas viriam duas vezes." },
    },
  },
  load: async (calls) => {
    const start = [rounded(calls.draw, -4, 0), rounded(calls.draw, 4, 7)];
    const rate = rounded(calls.draw, 0.2, 0.4, 2);
    const asked = [2, 3, 5, 6][whole(calls.draw, 0, 3)]!;
    const dataset = await calls.dataset(WEIGHTS);
    return { dataset, start, rate, asked, found: await descend(calls, request(dataset, start, rate, calls.seed, ["full", SMALL, 1])) };
  },
  numbers: ({ rate, asked, found: { paths, surfaces } }) => {
    const [full, small, one] = paths;
    return {
      rows: number(surfaces[0]!.rows),
      epochs: number(EPOCHS),
      rate: number(rate),
      small: number(SMALL),
      asked: number(asked),
      full_steps: number(stepsOf(full!)),
      small_steps: number(stepsOf(small!)),
      one_steps: number(stepsOf(one!)),
      full_end: number(lastCost(full!)),
      small_end: number(lastCost(small!)),
      one_end: number(lastCost(one!)),
      least: number(leastCost(surfaces[0]!)),
    };
  },
  pictures: {
    sizes: ({ data: { found }, words }) => <CostMap title={words.map!} surface={found.surfaces[0]!} paths={named(found, words)} />,
    noise: ({ data: { found }, words }) => <CostCurves title={words.curves!} paths={named(found, words)} xLabel={words.epoch!} perEpoch />,
  },
  exercise: {
    fields: () => [{ name: "steps", start: 0, least: 0, most: 10_000 }],
    attempt: (_, { dataset, start, rate, asked }, calls) => descend(calls, request(dataset, start, rate, calls.seed, [asked])),
    judge: ({ steps }, _, { paths }) => {
      const told = stepsOf(paths[0]!);
      return { isRight: steps === told, why: Number(steps) < told ? "few" : "many", numbers: { told: number(told), each: number(told / EPOCHS) } };
    },
  },
});

const stepsOf = ({ costs }: { costs: number[] }): number => costs.length - 1;

const request = (dataset_id: string, start: number[], rate: number, seed: number, sizes: (number | "full")[]) => ({
  dataset_id,
  ...OF_WEIGHTS,
  start,
  epochs: EPOCHS,
  descents: sizes.map((batch_size) => ({ batch_size, optimizer: plain(rate), seed })),
});

function named({ paths }: Descents, words: Record<string, string>) {
  const names = [words.full!, `${words.rows} ${SMALL}`, words.one!];
  return paths.map((path, place) => ({ name: names[place]!, path }));
}
