/** Optimizers racing down the same cost. */
import { api, body, type Schema } from "~/api/client";
import { number } from "~/text/format";
import { CostCurves, CostMap, lastCost, plain, type Surface } from "../descents";
import { lesson } from "../lesson";
import { rounded } from "../seeded";

type Race = Schema["Descent"];

interface Data {
  start: [number, number];
  surface: Surface;
  race: Race;
}

const LANDSCAPE = "elongated_bowl";
const STEPS = 60;
const RESOLUTION = 60;
const SLOW = 0.02;
const MOMENTUM = 0.9;
const RACERS = [plain(SLOW), { kind: "momentum", learning_rate: SLOW, momentum: MOMENTUM }, { kind: "rmsprop", learning_rate: 0.05 }, { kind: "adam", learning_rate: 0.1 }];

export const optimizers = lesson<Data, Race>({
  name: "optimizers",
  english: {
    title: "Optimizers, racing",
    lead: "The same slope, four ways to make a step of it.",
    parts: {
      race: {
        title: "One valley, four paths",
        text: [
          "The cost is a bowl that is long one way and steep the other:",
          "$$J = \\tfrac{1}{2}\\left(w_1^2 + 20\\, w_2^2\\right)$$",
          "*Gradient descent* goes against the slope and forgets it. *Momentum* adds up the slopes of before, as a ball that rolls:",
          "$$v \\leftarrow \\beta v + \\eta\\, \\nabla J, \\quad w \\leftarrow w - v$$",
          "It gathers speed along the valley, and swings across.",
        ],
      },
      scale: {
        title: "A rate for each weight",
        text: [
          "*RMSprop* divides each slope by its own usual size, so a steep and a flat direction get steps of one length:",
          "$$s \\leftarrow \\beta s + (1 - \\beta)\\, (\\nabla J)^2, \\quad w \\leftarrow w - \\frac{\\eta}{\\sqrt{s} + \\epsilon}\\, \\nabla J$$",
          "*Adam* does both: it goes by the mean of the slopes, over their usual size.",
          "All begin at a cost of {first}. After {steps} steps gradient descent is at {plain_end}, momentum at {momentum_end}, RMSprop at {rmsprop_end} and Adam at {adam_end}.",
          "Whoever wins here need not win elsewhere. The rates decide as much as the names do.",
        ],
      },
    },
    picture: { map: "Four optimizers over the cost", curves: "The cost after each step", step: "step", plain: "gradient descent", momentum: "momentum", tried: "Your gradient descent, and Adam" },
    exercise: {
      ask: ["In the race, gradient descent had a learning rate of {slow}. Give it a rate with which it ends lower than Adam, below {adam_end}."],
      hint: "The steepest curvature of this bowl is the number beside $w_2^2$. The rate has to stay below two over that, and the nearer the better, up to a point.",
      fields: { rate: "Learning rate η of gradient descent" },
      right: "It ends at {end}, and Adam at {adam_end}. On a bowl a well chosen rate is all that it takes.",
      wrong: { slow: "It ends at {end}, above Adam's {adam_end}. Try a larger rate.", fast: "It ends at {end}, higher than it began. Try a smaller rate." },
    },
  },
  portuguese: {
    title: "Otimizadores em corrida",
    lead: "A mesma inclinação, quatro modos de fazer dela um passo.",
    parts: {
      race: {
        title: "Um vale, quatro caminhos",
        text: [
          "O custo é uma tigela comprida num sentido e íngreme no outro:",
          "$$J = \\tfrac{1}{2}\\left(w_1^2 + 20\\, w_2^2\\right)$$",
          "A *descida do gradiente* vai contra a inclinação e a esquece. O *momento* soma as inclinações de antes, como uma bola que rola:",
          "$$v \\leftarrow \\beta v + \\eta\\, \\nabla J, \\quad w \\leftarrow w - v$$",
          "Ele ganha velocidade ao longo do vale, e balança de um lado a outro.",
        ],
      },
      scale: {
        title: "Uma taxa para cada peso",
        text: [
          "O *RMSprop* divide cada inclinação por seu tamanho habitual, e assim uma direção íngreme e uma plana recebem passos do mesmo comprimento:",
          "$$s \\leftarrow \\beta s + (1 - \\beta)\\, (\\nabla J)^2, \\quad w \\leftarrow w - \\frac{\\eta}{\\sqrt{s} + \\epsilon}\\, \\nabla J$$",
          "O *Adam* faz os dois: segue a média das inclinações, sobre o tamanho habitual delas.",
          "Todos começam com custo {first}. Depois de {steps} passos a descida do gradiente está em {plain_end}, o momento em {momentum_end}, o RMSprop em {rmsprop_end} e o Adam em {adam_end}.",
          "Quem ganha aqui não precisa ganhar em outro lugar. As taxas decidem tanto quanto os nomes.",
        ],
      },
    },
    picture: { map: "Quatro otimizadores sobre o custo", curves: "O custo depois de cada passo", step: "passo", plain: "descida do gradiente", momentum: "momento", tried: "A sua descida do gradiente, e o Adam" },
    exercise: {
      ask: ["Na corrida a descida do gradiente tinha uma taxa de aprendizado de {slow}. Dê a ela uma taxa com a qual termine mais baixo que o Adam, abaixo de {adam_end}."],
      hint: "A maior curvatura desta tigela é o número ao lado de $w_2^2$. A taxa tem de ficar abaixo de dois sobre ele, e quanto mais perto melhor, até certo ponto.",
      fields: { rate: "Taxa de aprendizado η da descida do gradiente" },
      right: "Ela termina em {end}, e o Adam em {adam_end}. Numa tigela basta uma taxa bem escolhida.",
      wrong: { slow: "Ela termina em {end}, acima dos {adam_end} do Adam. Tente uma taxa maior.", fast: "Ela termina em {end}, mais alto do que começou. Tente uma taxa menor." },
    },
  },
  load: async (calls) => {
    const start: [number, number] = [rounded(calls.draw, -2.8, -1.8), rounded(calls.draw, 1.2, 2.4)];
    const path = { name: LANDSCAPE };
    const [grid, race] = await Promise.all([body(api.GET("/v1/landscapes/{name}", { params: { path, query: { resolution: RESOLUTION } }, signal: calls.signal })), descend(start, RACERS, calls.signal)]);
    const [least] = grid.minima;
    const surface = { w: grid.w1, b: grid.w2, costs: grid.costs, minimum: least && { point: least.point, coefficients: least.point, cost: least.cost } } as unknown as Surface;
    return { start, surface, race };
  },
  numbers: ({ race: { paths } }) => {
    const [slow, momentum, rmsprop, adam] = paths.map((path) => number(lastCost(path), 3));
    return { steps: number(STEPS), slow: number(SLOW), first: number(paths[0]!.costs[0]), plain_end: slow!, momentum_end: momentum!, rmsprop_end: rmsprop!, adam_end: adam! };
  },
  pictures: {
    race: ({ data: { surface, race }, words }) => <CostMap title={words.map!} surface={surface} paths={named(race, words)} xLabel="w₁" yLabel="w₂" />,
    scale: ({ data: { race }, words }) => <CostCurves title={words.curves!} paths={named(race, words)} xLabel={words.step!} />,
  },
  exercise: {
    fields: () => [{ name: "rate", start: SLOW, least: 1e-6, most: 10 }],
    attempt: ({ rate }, { start }, calls) => descend(start, [plain(Number(rate))], calls.signal),
    judge: (_, { race }, { paths }) => {
      const [mine, adam] = [lastCost(paths[0]!), lastCost(race.paths[3]!)];
      return { isRight: mine < adam, why: mine < paths[0]!.costs[0]! ? "slow" : "fast", numbers: { end: number(mine, 3) } };
    },
    Outcome: ({ data: { surface, race }, tried, words }) => (
      <CostMap
        title={words.tried!}
        surface={surface}
        paths={[
          { name: words.plain!, path: tried.paths[0]! },
          { name: "Adam", path: race.paths[3]! },
        ]}
        xLabel="w₁"
        yLabel="w₂"
      />
    ),
  },
});

const descend = (start: [number, number], racers: object[], signal: AbortSignal): Promise<Race> =>
  body(api.POST("/v1/landscapes/{name}/descend", { params: { path: { name: LANDSCAPE } }, body: { start, optimizers: racers, steps: STEPS } as unknown as Schema["DescendRequest"], signal }));

function named({ paths }: Race, words: Record<string, string>) {
  const names = [words.plain!, words.momentum!, "RMSprop", "Adam"];
  return paths.map((path, place) => ({ name: names[place]!, path }));
}
