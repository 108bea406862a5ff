/** What scaling a feature does to a descent. */
import { number } from "~/text/format";
import { CostCurves, CostMap, descend, lastCost, leastCost, OF_WEIGHTS, plain, WEIGHTS, type Descents } from "../descents";
import { lesson } from "../lesson";
import { rounded } from "../seeded";

interface Data {
  dataset: string;
  rates: { scaled: number; raw: number };
  found: Descents;
}

const STEPS = 40;

export const scaling = lesson<Data, Descents>({
  name: "scaling",
  english: {
    title: "Scaling the features",
    lead: "A valley or a bowl: the same cost in two units.",
    parts: {
      raw: {
        title: "A narrow valley",
        text: [
          "The age of an infant is counted in months, up to two dozen. The constant beside the bias is always one. So a small change of $w$ changes the line much more than the same change of $b$.",
          "The cost becomes a narrow valley. Across it the slope is steep and allows only a tiny learning rate. Along it the slope is hardly there, and with that rate it takes forever. After {steps} steps the cost is {raw_end}; the least is {least}.",
        ],
      },
      scaled: {
        title: "A round bowl",
        text: [
          "Now each age is standardized: less the mean, over the standard deviation.",
          "$$x' = \\frac{x - \\mu}{\\sigma}, \\quad \\mu = \\num{center}, \\; \\sigma = \\num{scale}$$",
          "The slope falls alike in both directions: by the numbers at its edges, the rings of the picture are circles. A rate that is {times} times as large is safe. After {steps} steps of $\\eta = \\num{rate}$ the cost is {scaled_end}.",
        ],
      },
      same: {
        title: "The same line in the end",
        text: ["Scaling changes the way, and not where it leads. The least cost is {least} without it and {least_scaled} with it. In the data's own units both minima are the same line: slope {w} and intercept {b} without, {w_scaled} and {b_scaled} with."],
      },
    },
    picture: { raw: "Without scaling", scaled: "Standardized", curves: "The cost after each step", step: "step", tried: "Your rate, without scaling" },
    exercise: {
      ask: ["Without scaling, a rate of {rate} would diverge at once. Find a rate with which the descent without scaling ends lower than it began."],
      hint: "The picture on top was drawn with a rate that is {times} times smaller than {rate}.",
      fields: { rate: "Learning rate η without scaling" },
      right: "With this rate the cost falls from {first} to {end}. It is still far from {least}.",
      wrong: { rose: "With this rate the cost rises from {first} to {end}. Take a much smaller one.", diverged: "With this rate it diverges. Take a much smaller one." },
    },
  },
  portuguese: {
    title: "Escalonar os atributos",
    lead: "Um vale ou uma tigela: o mesmo custo em duas unidades.",
    parts: {
      raw: {
        title: "Um vale estreito",
        text: [
          "A idade de um bebê é contada em meses, até duas dúzias. A constante ao lado do viés é sempre um. Por isso uma pequena mudança de $w$ muda a reta muito mais que a mesma mudança de $b$.",
          "O custo vira um vale estreito. Através dele a inclinação é forte, e só permite uma taxa minúscula. Ao longo dele quase não há inclinação, e com essa taxa não se chega nunca. Depois de {steps} passos o custo é {raw_end}; o menor é {least}.",
        ],
      },
      scaled: {
        title: "Uma tigela redonda",
        text: [
          "Agora cada idade é padronizada: menos a média, sobre o desvio padrão.",
          "$$x' = \\frac{x - \\mu}{\\sigma}, \\quad \\mu = \\num{center}, \\; \\sigma = \\num{scale}$$",
          "A inclinação cai igual nas duas direções: pelos números das bordas, os anéis da figura são círculos. Uma taxa {times} vezes maior é segura. Depois de {steps} passos de $\\eta = \\num{rate}$ o custo é {scaled_end}.",
        ],
      },
      same: {
        title: "No fim, a mesma reta",
        text: ["Escalonar muda o caminho, e não aonde ele leva. O menor custo é {least} sem e {least_scaled} com. Nas unidades dos dados os dois mínimos são a mesma reta: inclinação {w} e intercepto {b} sem, {w_scaled} e {b_scaled} com."],
      },
    },
    picture: { raw: "Sem escalonamento", scaled: "Padronizado", curves: "O custo depois de cada passo", step: "passo", tried: "A sua taxa, sem escalonamento" },
    exercise: {
      ask: ["Sem escalonamento, uma taxa de {rate} divergiria logo. Encontre uma taxa com a qual a descida sem escalonamento termine mais baixo do que começou."],
      hint: "A figura de cima foi feita com uma taxa {times} vezes menor que {rate}.",
      fields: { rate: "Taxa de aprendizado η sem escalonamento" },
      right: "Com esta taxa o custo cai de {first} para {end}. Ainda está longe de {least}.",
      wrong: { rose: "Com esta taxa o custo sobe de {first} para {end}. Tome uma bem menor.", diverged: "Com esta taxa ela diverge. Tome uma bem menor." },
    },
  },
  load: async (calls) => {
    const rates = { scaled: rounded(calls.draw, 0.3, 0.7), raw: rounded(calls.draw, 0.003, 0.007, 3) };
    const dataset = await calls.dataset(WEIGHTS);
    return { dataset, rates, found: await descend(calls, request(dataset, [["none", rates.raw], ["standard", rates.scaled]])) };
  },
  numbers: ({ rates, found: { paths, surfaces } }) => {
    const [raw, scaled] = paths;
    const [at, atScaled] = surfaces.map(({ minimum }) => minimum!.coefficients);
    const { center, scale } = surfaces[1]!.scaling.columns[0] as unknown as { center: number; scale: number };
    return {
      steps: number(STEPS),
      raw_end: number(lastCost(raw!)),
      scaled_end: number(lastCost(scaled!)),
      least: number(leastCost(surfaces[0]!)),
      least_scaled: number(leastCost(surfaces[1]!)),
      center: number(center),
      scale: number(scale),
      rate: number(rates.scaled),
      times: number(rates.scaled / rates.raw, 3),
      w: number(at![0]),
      b: number(at![1]),
      w_scaled: number(atScaled![0]),
      b_scaled: number(atScaled![1]),
    };
  },
  pictures: {
    raw: ({ data: { found }, words }) => <CostMap title={words.raw!} surface={found.surfaces[0]!} paths={[{ name: words.raw!, path: found.paths[0]! }]} />,
    scaled: ({ data: { found }, words }) => <CostMap title={words.scaled!} surface={found.surfaces[1]!} paths={[{ name: words.scaled!, path: found.paths[1]!, look: 1 }]} />,
    same: ({ data: { found }, words }) => (
      <CostCurves
        title={words.curves!}
        paths={[
          { name: words.raw!, path: found.paths[0]! },
          { name: words.scaled!, path: found.paths[1]! },
        ]}
        xLabel={words.step!}
      />
    ),
  },
  exercise: {
    fields: ({ rates }) => [{ name: "rate", start: rates.scaled, least: 1e-6, most: 10 }],
    attempt: ({ rate }, { dataset }, calls) => descend(calls, request(dataset, [["none", Number(rate)]])),
    judge: (_, __, { paths }) => {
      const [first, end] = [paths[0]!.costs[0]!, lastCost(paths[0]!)];
      return { isRight: end < first && !paths[0]!.diverged, why: paths[0]!.diverged ? "diverged" : "rose", numbers: { first: number(first), end: number(end) } };
    },
    Outcome: ({ tried, words }) => <CostCurves title={words.tried!} paths={[{ name: words.tried!, path: tried.paths[0]! }]} xLabel={words.step!} />,
  },
});

const request = (dataset_id: string, descents: [string, number][]) => ({
  dataset_id,
  ...OF_WEIGHTS,
  epochs: STEPS,
  descents: descents.map(([scaling, rate]) => ({ preprocessing: { scaling }, optimizer: plain(rate), batch_size: "full" })),
});
