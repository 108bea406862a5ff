/** XOR: what one line cannot tell apart, and a hidden layer can. */
import { UnitMap } from "~/charts/Boundary";
import { number, toNumber } from "~/text/format";
import type { Calls, Job } from "../calls";
import { lesson } from "../lesson";
import { plane, PlaneAndRows, table, type Plane, type Table } from "../planes";

interface Data {
  rows: Table;
  line: { job: Job; found: Plane };
  network: { job: Job; found: Plane };
}

const UNITS = 4;
const ROWS = 4;
const COMMON = { target: "y", task: "classification", split: { validation: 0 } } as const;

export const xor = lesson<Data, Data["network"]>({
  name: "xor",
  english: {
    title: "XOR",
    lead: "Four points that no line tells apart, and what a hidden layer is for.",
    parts: {
      line: {
        title: "One line is not enough",
        text: [
          "The exclusive or of two bits is one where exactly one of them is one. Its table has four rows: the smallest set that no line can part.",
          "$$y = x_1 \\oplus x_2$$",
          "The classes sit on opposite corners. Whatever line a perceptron tries, a corner is on the wrong side. The best that it found gets {line_right} of {rows} rows right.",
        ],
      },
      hidden: {
        title: "Two steps instead of one",
        text: [
          "A hidden layer looks first. Each of its units draws a soft line of its own:",
          "$$a = \\tanh(W^\\top x + b)$$",
          "The output then draws its line through what the units say, no longer through $x$. With {units} hidden units this network gets {network_right} of {rows} rows right. Its boundary is no line any more.",
        ],
      },
      units: {
        title: "What each unit says",
        text: ["Each picture shows one hidden unit over the same plane: positive in one color, negative in the other. Each of them alone is a soft line. Together they bend the plane so that a line is enough."],
      },
    },
    picture: { line: "A perceptron", network: "A network with a hidden layer", unit: "Hidden unit", tried: "Your network" },
    exercise: {
      ask: ["Set a number of hidden units with which the network gets all four rows right. A good answer is a small one."],
      hint: "One unit is one line again. How many lines does it take to part the corners?",
      fields: { units: "Hidden units" },
      right: "A hidden layer of {given} gets all {rows} rows right.",
      wrong: { other: "A hidden layer of {given} gets {right} of {rows} rows right. Try more." },
    },
  },
  portuguese: {
    title: "XOR",
    lead: "Quatro pontos que nenhuma reta distingue, e para que serve uma camada oculta.",
    parts: {
      line: {
        title: "Uma reta não basta",
        text: [
          "O ou-exclusivo de dois bits é um onde exatamente um deles é um. Sua tabela tem quatro linhas: o menor conjunto que nenhuma reta separa.",
          "$$y = x_1 \\oplus x_2$$",
          "As classes ficam em cantos opostos. Qualquer que seja a reta do perceptron, um canto fica do lado errado. A melhor que ele achou acerta {line_right} de {rows} linhas.",
        ],
      },
      hidden: {
        title: "Dois passos em vez de um",
        text: [
          "Uma camada oculta olha antes. Cada unidade dela traça uma reta suave própria:",
          "$$a = \\tanh(W^\\top x + b)$$",
          "A saída traça então sua reta pelo que as unidades dizem, não mais por $x$. Com {units} unidades ocultas esta rede acerta {network_right} de {rows} linhas. A fronteira dela já não é uma reta.",
        ],
      },
      units: {
        title: "O que cada unidade diz",
        text: ["Cada figura mostra uma unidade oculta sobre o mesmo plano: positiva numa cor, negativa na outra. Cada uma sozinha é uma reta suave. Juntas elas dobram o plano de modo que uma reta basta."],
      },
    },
    picture: { line: "Um perceptron", network: "Uma rede com camada oculta", unit: "Unidade oculta", tried: "A sua rede" },
    exercise: {
      ask: ["Defina um número de unidades ocultas com o qual a rede acerte as quatro linhas. Uma boa resposta é um número pequeno."],
      hint: "Uma unidade é de novo uma reta. Quantas retas são precisas para separar os cantos?",
      fields: { units: "Unidades ocultas" },
      right: "Uma camada oculta de {given} acerta todas as {rows} linhas.",
      wrong: { other: "Uma camada oculta de {given} acerta {right} de {rows} linhas. Tente mais." },
    },
  },
  load: async (calls) => {
    const dataset = await calls.dataset({ kind: "xor" });
    const request = { ...COMMON, model: { kind: "perceptron" }, epochs: 30, seed: calls.seed };
    const [line, network, rows] = await Promise.all([calls.job(dataset, `xor, perceptron, seed ${calls.seed}`, request), hidden(calls, dataset, UNITS), table(calls, dataset, ROWS)]);
    return { rows, line: { job: line, found: await plane(calls, line.id) }, network: { job: network, found: await plane(calls, network.id, 40, true) } };
  },
  numbers: ({ line, network }) => ({
    rows: number(ROWS),
    units: number(UNITS),
    line_right: number(rightOf(line.job)),
    network_right: number(rightOf(network.job)),
  }),
  pictures: {
    line: ({ data: { line, rows }, words }) => <PlaneAndRows title={words.line!} found={line.found} rows={rows} target="y" />,
    hidden: ({ data: { network, rows }, words }) => <PlaneAndRows title={words.network!} found={network.found} rows={rows} target="y" />,
    units: ({ data: { network }, words }) => (
      <div class="unit-pictures">
        {Object.values(network.found.units ?? {})
          .flat()
          .map((grid, unit) => (
            <figure key={unit}>
              <UnitMap label={`${words.unit} ${number(unit + 1)}`} grid={(grid as (number | string)[][]).map((row) => row.map(toNumber))} />
              <figcaption>
                {words.unit} {number(unit + 1)}
              </figcaption>
            </figure>
          ))}
      </div>
    ),
  },
  exercise: {
    fields: () => [{ name: "units", start: 1, least: 1, most: 16 }],
    attempt: async ({ units }, _, calls) => {
      const job = await hidden(calls, await calls.dataset({ kind: "xor" }), Math.round(Number(units)));
      return { job, found: await plane(calls, job.id) };
    },
    judge: ({ units }, _, { job }) => ({ isRight: rightOf(job) === ROWS, numbers: { given: number(Math.round(Number(units))), right: number(rightOf(job)) } }),
    Outcome: ({ data: { rows }, tried, words }) => <PlaneAndRows title={words.tried!} found={tried.found} rows={rows} target="y" />,
  },
});

function hidden(calls: Calls, dataset: string, units: number): Promise<Job> {
  const request = {
    ...COMMON,
    model: { kind: "mlp", hidden: [{ units, activation: "tanh" }] },
    optimizer: { kind: "adam", learning_rate: 0.1 },
    preprocessing: { scaling: "none" },
    batch_size: "full",
    epochs: 200,
    seed: calls.seed,
  };
  return calls.job(dataset, `xor, hidden units ${units}, seed ${calls.seed}`, request);
}

/** Rows that the model gets right. */
const rightOf = (job: Job): number => Math.round(ROWS * toNumber((job.latest as Record<string, number>).train_accuracy));
