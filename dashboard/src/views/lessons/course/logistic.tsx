/** Logistic regression: a probability, its loss, and the boundary. */
import { Paths } from "~/charts/Paths";
import { extent } from "~/charts/Scatter";
import { Figure } from "~/elements/Figure";
import { number, toNumber } from "~/text/format";
import { CostMap, descend, lastCost, leastCost, plain, type Descents } from "../descents";
import { lesson } from "../lesson";
import { table } from "../planes";
import { rounded } from "../seeded";

interface Data {
  rows: { y: number; isUpper: boolean }[];
  found: Descents;
}

const STEPS = 200;
const ROWS = 200;
const RATE = 1;
const [FEATURE, TARGET, UPPER] = ["y", "moon", "upper"];
/** How far off the boundary may be given. */
const TOLERANCE = 0.05;

export const logistic = lesson<Data>({
  name: "logistic",
  english: {
    title: "Logistic regression",
    lead: "From a line to a probability, and from there to a decision.",
    parts: {
      probability: {
        title: "A line bent into a probability",
        text: [
          "Two half moons reach into each other. Let us tell the upper from the lower one by the height of a point alone. There are {rows} points.",
          "A line would give numbers below zero and above one. The logistic function bends it between the two:",
          "$$p = \\sigma(w y + b) = \\frac{1}{1 + e^{-(w y + b)}}$$",
          "Here $w = \\num{w}$ and $b = \\num{b}$. At the lowest point the probability of the upper moon is {p_low}, at the highest it is {p_high}.",
        ],
      },
      loss: {
        title: "What an error costs",
        text: [
          "A row costs the less, the more probability its own class got:",
          "$$\\ell = -t \\ln p - (1 - t) \\ln(1 - p)$$",
          "There $t$ is one for the upper moon, and zero for the lower. Who is sure and wrong pays without limit.",
          "No formula gives the least cost, but the surface has one minimum only. The descent begins at {first}. After {steps} steps it is at {end}; the least is {least}.",
        ],
      },
      boundary: {
        title: "The boundary",
        text: [
          "A decision needs a boundary: where both classes are equally likely. The probability is one half where the bent line crosses zero,",
          "$$w y + b = 0.$$",
          "Above it the answer is the upper moon. For {errors} of the {rows} points that is wrong: in the middle the moons share the same heights.",
        ],
      },
    },
    picture: { curve: "The probability of the upper moon by the height", p: "probability", height: "height y", map: "The descent over the cost", path: "descent" },
    exercise: {
      ask: ["At which height $y$ is the probability one half?"],
      hint: "Solve $w y + b = 0$ for $y$, with the $w$ and $b$ of the first part.",
      fields: { height: "Height y" },
      right: "There $p$ is one half: the boundary lies at {told}.",
      wrong: { off: "At that height the probability is {p}." },
    },
  },
  portuguese: {
    title: "Regressão logística",
    lead: "De uma reta a uma probabilidade, e daí a uma decisão.",
    parts: {
      probability: {
        title: "Uma reta dobrada em probabilidade",
        text: [
          "Duas meias-luas entram uma na outra. Vamos distinguir a de cima da de baixo só pela altura de um ponto. Há {rows} pontos.",
          "Uma reta daria números abaixo de zero e acima de um. A função logística a dobra entre os dois:",
          "$$p = \\sigma(w y + b) = \\frac{1}{1 + e^{-(w y + b)}}$$",
          "Aqui $w = \\num{w}$ e $b = \\num{b}$. No ponto mais baixo a probabilidade da lua de cima é {p_low}, no mais alto é {p_high}.",
        ],
      },
      loss: {
        title: "Quanto custa um erro",
        text: [
          "Uma linha custa tanto menos quanto mais probabilidade sua própria classe recebeu:",
          "$$\\ell = -t \\ln p - (1 - t) \\ln(1 - p)$$",
          "Aqui $t$ é um para a lua de cima, e zero para a de baixo. Quem tem certeza e erra paga sem limite.",
          "Nenhuma fórmula dá o menor custo, mas a superfície tem um só mínimo. A descida começa em {first}. Depois de {steps} passos está em {end}; o menor é {least}.",
        ],
      },
      boundary: {
        title: "A fronteira",
        text: [
          "Uma decisão precisa de uma fronteira: onde as duas classes são igualmente prováveis. A probabilidade é um meio onde a reta dobrada cruza o zero,",
          "$$w y + b = 0.$$",
          "Acima dela a resposta é a lua de cima. Para {errors} dos {rows} pontos isso está errado: no meio as luas têm as mesmas alturas.",
        ],
      },
    },
    picture: { curve: "A probabilidade da lua de cima pela altura", p: "probabilidade", height: "altura y", map: "A descida sobre o custo", path: "descida" },
    exercise: {
      ask: ["Em que altura $y$ a probabilidade é um meio?"],
      hint: "Resolva $w y + b = 0$ para $y$, com o $w$ e o $b$ da primeira parte.",
      fields: { height: "Altura y" },
      right: "Ali $p$ é um meio: a fronteira fica em {told}.",
      wrong: { off: "Nessa altura a probabilidade é {p}." },
    },
  },
  load: async (calls) => {
    const dataset_id = await calls.dataset({ kind: "double_moons", distance: -4, rows: ROWS, seed: calls.seed });
    const start = [rounded(calls.draw, -2, 0), rounded(calls.draw, 2, 4)];
    const { columns, rows: cells } = await table(calls, dataset_id, ROWS);
    const [feature, target] = [columns.indexOf(FEATURE!), columns.indexOf(TARGET!)];
    const rows = cells.map((row) => ({ y: Number(row[feature]), isUpper: row[target] === UPPER }));
    const descents = [{ preprocessing: { scaling: "standard" }, optimizer: plain(RATE), batch_size: "full" }];
    return { rows, found: await descend(calls, { dataset_id, feature: FEATURE, target: TARGET, epochs: STEPS, start, penalty: { l2: 0 }, descents }) };
  },
  numbers: ({ rows, found }) => {
    const { w, b, p } = fitted(found);
    const heights = rows.map(({ y }) => y);
    return {
      rows: number(rows.length),
      w: number(w),
      b: number(b),
      p_low: number(p(Math.min(...heights)), 3),
      p_high: number(p(Math.max(...heights)), 3),
      first: number(found.paths[0]!.costs[0]),
      steps: number(STEPS),
      end: number(lastCost(found.paths[0]!)),
      least: number(leastCost(found.surfaces[0]!)),
      errors: number(rows.filter(({ y, isUpper }) => w * y + b > 0 !== isUpper).length),
    };
  },
  pictures: {
    probability: ({ data, words }) => <Probability data={data} words={words} />,
    loss: ({ data: { found }, words }) => <CostMap title={words.map!} surface={found.surfaces[0]!} paths={[{ name: words.path!, path: found.paths[0]! }]} />,
  },
  exercise: {
    fields: () => [{ name: "height", start: 0, least: -100, most: 100 }],
    judge: ({ height }, { found }) => {
      const { w, b, p } = fitted(found);
      return { isRight: Math.abs(Number(height) + b / w) <= TOLERANCE, why: "off", numbers: { told: number(-b / w), p: number(p(Number(height)), 3) } };
    },
  },
});

/** The weights of least cost, in the data's own units, and the probability of the upper moon by them. */
function fitted({ surfaces, classes }: Descents) {
  const [w, b] = surfaces[0]!.minimum!.coefficients.map(toNumber) as [number, number];
  const sign = classes?.[1] === UPPER ? 1 : -1;
  return { w: sign * w, b: sign * b, p: (y: number) => 1 / (1 + Math.exp(-sign * (w * y + b))) };
}

const POINTS = 120;

function Probability({ data: { rows, found }, words }: { data: Data; words: Record<string, string> }) {
  const { p } = fitted(found);
  const range = extent([rows.map(({ y }) => y)]);
  const heights = Array.from({ length: POINTS }, (_, place) => range[0] + ((range[1] - range[0]) * place) / (POINTS - 1));
  const points = { x: rows.map(({ y }) => y), y: rows.map(({ isUpper }) => Number(isUpper)) };
  return (
    <Figure title={words.curve!} rows={() => ({ columns: ["y", "p"], rows: heights.map((y) => [y, p(y)]) })}>
      <Paths label={words.curve!} paths={[{ name: words.p!, x: heights, y: heights.map(p) }]} points={points} xLabel={words.height!} yLabel={words.p!} xRange={range} yRange={[-0.05, 1.05]} height={300} />
    </Figure>
  );
}
