/** The learning rate: too low, right, too high. */
import { number } from "~/text/format";
import { CostCurves, CostMap, curvatures, descend, lastCost, leastCost, OF_WEIGHTS, plain, WEIGHTS, type Descents } from "../descents";
import { lesson } from "../lesson";
import { rounded } from "../seeded";

interface Data {
  dataset: string;
  start: [number, number];
  rates: { low: number; good: number; high: number };
  found: Descents;
}

const STEPS = 40;
const [LEAST, MOST] = [0.001, 10];

export const rate = lesson<Data, Descents>({
  name: "rate",
  english: {
    title: "The learning rate: too low and too high",
    lead: "One number decides whether gradient descent crawls, arrives, or leaps away.",
    parts: {
      low: {
        title: "Steps that are too short",
        text: [
          "Gradient descent goes against the slope of the cost, again and again:",
          "$$\\theta_{t+1} = \\theta_t - \\eta\\, \\nabla J(\\theta_t)$$",
          "The learning rate $\\eta$ says how long a step is for a slope of one. Here a line is fitted to the weights of infants by their age. The picture shows its cost for every weight $w$ and bias $b$. Three descents begin at the same place, and each takes {steps} steps.",
          "With $\\eta = \\num{low}$ the cost falls from {first} to {low_end}. The least is {least}. The descent goes the right way, and does not arrive.",
          "With $\\eta = \\num{good}$ it ends at {good_end}.",
        ],
      },
      high: {
        title: "Steps that are too long",
        text: [
          "With $\\eta = \\num{high}$ each step crosses the valley and lands on the other side, higher than it began. After {steps} steps the cost is {high_end}.",
          "That is no fault of the direction. Against the slope it does go down, but only nearby. A long step is taken on trust, and the slope has turned meanwhile.",
        ],
      },
      limit: {
        title: "Where the limit is",
        text: [
          "Let the cost be a parabola of curvature $\\kappa$. Then one step multiplies the distance to the minimum by one and the same factor:",
          "$$\\theta_{t+1} - \\theta^{*} = (1 - \\eta\\kappa)\\,(\\theta_t - \\theta^{*})$$",
          "As long as its size is below one, the distance shrinks. So the rate has a limit:",
          "$$\\eta < \\frac{2}{\\kappa}$$",
          "The gradients at both ends of the first step tell the curvatures here: {bend_w} along $w$, and {bend_b} along $b$. The larger one sets the limit, {limit}. The smaller one makes the way along $w$ slow.",
        ],
      },
    },
    picture: { map: "Three descents over the cost", curves: "The cost after each step", tried: "Your rate", step: "step" },
    exercise: {
      ask: ["Find a learning rate at which the cost is higher after {steps} steps than at the start."],
      hint: "Go beyond {limit}, and not far: just above the limit the steps grow slowly, and {steps} of them may be too few to see it.",
      fields: { rate: "Learning rate η" },
      right: "With this rate the cost grew from {first} to {end}. Each step landed farther from the minimum.",
      wrong: { fell: "With this rate the cost fell from {first} to {end}. Try a larger one." },
    },
  },
  portuguese: {
    title: "A taxa de aprendizado: baixa e alta demais",
    lead: "Um só número decide se a descida do gradiente se arrasta, chega ou salta para longe.",
    parts: {
      low: {
        title: "Passos curtos demais",
        text: [
          "A descida do gradiente vai contra a inclinação do custo, de novo e de novo:",
          "$$\\theta_{t+1} = \\theta_t - \\eta\\, \\nabla J(\\theta_t)$$",
          "A taxa de aprendizado $\\eta$ diz o comprimento do passo para uma inclinação igual a um. Aqui se ajusta uma reta ao peso de bebês pela idade. A figura mostra o custo para cada peso $w$ e viés $b$. Três descidas começam no mesmo lugar, e cada uma dá {steps} passos.",
          "Com $\\eta = \\num{low}$ o custo cai de {first} para {low_end}. O menor possível é {least}. A descida vai na direção certa, e não chega.",
          "Com $\\eta = \\num{good}$ ela termina em {good_end}.",
        ],
      },
      high: {
        title: "Passos longos demais",
        text: [
          "Com $\\eta = \\num{high}$ cada passo atravessa o vale e para do outro lado, mais alto do que começou. Depois de {steps} passos o custo é {high_end}.",
          "A culpa não é da direção. Contra a inclinação o custo de fato desce, mas só por perto. Um passo longo é dado às cegas, e no caminho a inclinação já mudou.",
        ],
      },
      limit: {
        title: "Onde está o limite",
        text: [
          "Seja o custo uma parábola de curvatura $\\kappa$. Então um passo multiplica a distância até o mínimo sempre pelo mesmo fator:",
          "$$\\theta_{t+1} - \\theta^{*} = (1 - \\eta\\kappa)\\,(\\theta_t - \\theta^{*})$$",
          "Enquanto o tamanho dele fica abaixo de um, a distância diminui. Por isso a taxa tem um limite:",
          "$$\\eta < \\frac{2}{\\kappa}$$",
          "Os gradientes nas duas pontas do primeiro passo dizem as curvaturas aqui: {bend_w} ao longo de $w$, e {bend_b} ao longo de $b$. A maior impõe o limite, {limit}. A menor torna lento o caminho ao longo de $w$.",
        ],
      },
    },
    picture: { map: "Três descidas sobre o custo", curves: "O custo depois de cada passo", tried: "A sua taxa", step: "passo" },
    exercise: {
      ask: ["Encontre uma taxa de aprendizado com a qual o custo, depois de {steps} passos, seja maior do que no início."],
      hint: "Passe de {limit}, e não muito: logo acima do limite os passos crescem devagar, e {steps} deles podem ser poucos para se notar.",
      fields: { rate: "Taxa de aprendizado η" },
      right: "Com esta taxa o custo cresceu de {first} para {end}. Cada passo parou mais longe do mínimo.",
      wrong: { fell: "Com esta taxa o custo caiu de {first} para {end}. Tente uma maior." },
    },
  },
  load: async (calls) => {
    const start: [number, number] = [rounded(calls.draw, -3, 1), rounded(calls.draw, 4, 7)];
    const rates = { low: rounded(calls.draw, 0.01, 0.04, 3), good: rounded(calls.draw, 0.9, 1.3), high: rounded(calls.draw, 2.05, 2.15, 2) };
    const dataset = await calls.dataset(WEIGHTS);
    return { dataset, start, rates, found: await descend(calls, asked(dataset, start, Object.values(rates))) };
  },
  numbers: ({ rates, found: { paths, surfaces } }) => {
    const [low, good, high] = paths;
    const bends = curvatures(low!);
    return {
      steps: number(low!.costs.length - 1),
      low: number(rates.low),
      good: number(rates.good),
      high: number(rates.high),
      first: number(low!.costs[0]),
      low_end: number(lastCost(low!)),
      good_end: number(lastCost(good!)),
      high_end: number(lastCost(high!)),
      least: number(leastCost(surfaces[0]!)),
      bend_w: number(bends[0], 3),
      bend_b: number(bends[1], 3),
      limit: number(2 / Math.max(...bends), 3),
    };
  },
  pictures: {
    low: ({ data: { found }, words }) => <CostMap title={words.map!} surface={found.surfaces[0]!} paths={named(found)} />,
    high: ({ data: { found }, words }) => <CostCurves title={words.curves!} paths={named(found)} xLabel={words.step!} />,
  },
  exercise: {
    fields: ({ rates }) => [{ name: "rate", start: rates.good, least: LEAST, most: MOST }],
    attempt: (answer, { dataset, start }, calls) => descend(calls, asked(dataset, start, [Number(answer.rate)])),
    judge: (_, __, { paths }) => {
      const [first, end] = [paths[0]!.costs[0]!, lastCost(paths[0]!)];
      return { isRight: end > first || paths[0]!.diverged, why: "fell", numbers: { first: number(first), end: number(end) } };
    },
    Outcome: ({ tried, words }) => <CostMap title={words.tried!} surface={tried.surfaces[0]!} paths={named(tried)} />,
  },
});

const asked = (dataset_id: string, start: [number, number], rates: number[]) => ({
  dataset_id,
  ...OF_WEIGHTS,
  start,
  epochs: STEPS,
  descents: rates.map((each) => ({ optimizer: plain(each), batch_size: "full" })),
});

const named = ({ paths }: Descents) => paths.map((path) => ({ name: `η = ${number(path.learning_rates[0])}`, path }));
