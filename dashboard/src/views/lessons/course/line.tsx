/** The line of least squares, by its formula and by gradient descent. */
import { number, toNumber } from "~/text/format";
import { CostMap, descend, lastCost, leastCost, OF_WEIGHTS, plain, WEIGHTS, type Descents } from "../descents";
import { lesson } from "../lesson";
import { lineOf, PointsAndLines, relation, type Relation } from "../relations";
import { rounded, whole } from "../seeded";

interface Data {
  months: number;
  rate: number;
  exact: Relation;
  found: Descents;
}

const STEPS = 60;
/** Of the descent, whose lines are drawn. */
const DRAWN = [0, 2, 6, STEPS];
/** How far off an answer in kilograms may be. */
const TOLERANCE = 0.05;

export const line = lesson<Data>({
  name: "line",
  english: {
    title: "The line, by formula and by descent",
    lead: "Two ways to the same line: one computes it at once, the other walks there.",
    parts: {
      formula: {
        title: "By formula",
        text: [
          "The table has the age and the weight of {rows} infants. A line is to tell the weight by the age: $\\hat y = b + w x$.",
          "Which line is the best? The one whose errors, squared and averaged, are least. Half of that is the cost:",
          "$$J(w, b) = \\frac{1}{2n} \\sum_i (w x_i + b - y_i)^2$$",
          "Where the cost is least, its slope is zero. That gives two equations, and they have one solution:",
          "$$w = \\frac{\\sum_i (x_i - \\bar x)(y_i - \\bar y)}{\\sum_i (x_i - \\bar x)^2}, \\quad b = \\bar y - w \\bar x$$",
          "Here $w = \\num{slope}$ and $b = \\num{intercept}$: a newborn weighs {intercept} kilograms, and gains {slope} a month.",
        ],
      },
      descent: {
        title: "By descent",
        text: [
          "Most models have no such formula. For them there is gradient descent: begin somewhere, look which way the cost falls, take a step that way, and do it again.",
          "The picture shows the cost of every pair of $w$ and $b$, for ages that are scaled. The descent begins at a cost of {first}. With a learning rate of {rate} it is at {end} after {steps} steps. The least cost is {least}.",
          "In the data's own units its line is now $\\hat y = \\num{end_b} + \\num{end_w}\\,x$: nearly that of the formula.",
        ],
      },
      lines: {
        title: "What the descent sees as a line",
        text: ["Each point of the path is a line. These are the lines at the start and after some of the steps. First the line rises to the height of the points, then it turns to their slope: one direction of the cost is steep, the other is flat."],
      },
    },
    picture: { exact: "Weights of infants, and the line of the formula", map: "The descent over the cost", lines: "The line on its way", formula: "formula", path: "descent", after: "after step" },
    exercise: {
      ask: ["How many kilograms does the line of the formula give an infant of {months} months?"],
      hint: "Put the age into $\\hat y = b + w x$, with the $w$ and $b$ of the formula.",
      fields: { weight: "Weight in kilograms" },
      right: "The line gives {told} kilograms.",
      wrong: { off: "$\\num{intercept} + \\num{slope} \\cdot \\num{months}$ is another number. Take the intercept $b$ once, and $w$ once for each month." },
    },
  },
  portuguese: {
    title: "A reta, por fórmula e por descida",
    lead: "Dois caminhos para a mesma reta: um a calcula de uma vez, o outro anda até ela.",
    parts: {
      formula: {
        title: "Por fórmula",
        text: [
          "A tabela tem a idade e o peso de {rows} bebês. Uma reta deve dizer o peso pela idade: $\\hat y = b + w x$.",
          "Qual reta é a melhor? Aquela cujos erros, ao quadrado e em média, são os menores. A metade disso é o custo:",
          "$$J(w, b) = \\frac{1}{2n} \\sum_i (w x_i + b - y_i)^2$$",
          "Onde o custo é mínimo, sua inclinação é zero. Isso dá duas equações, e elas têm uma só solução:",
          "$$w = \\frac{\\sum_i (x_i - \\bar x)(y_i - \\bar y)}{\\sum_i (x_i - \\bar x)^2}, \\quad b = \\bar y - w \\bar x$$",
          "Aqui $w = \\num{slope}$ e $b = \\num{intercept}$: um recém-nascido pesa {intercept} quilos, e ganha {slope} por mês.",
        ],
      },
      descent: {
        title: "Por descida",
        text: [
          "A maioria dos modelos não tem uma fórmula assim. Para eles há a descida do gradiente: comece em algum lugar, veja para onde o custo cai, dê um passo para lá, e repita.",
          "A figura mostra o custo de cada par de $w$ e $b$, com as idades escalonadas. A descida começa com custo {first}. Com uma taxa de aprendizado de {rate} ela está em {end} depois de {steps} passos. O menor custo é {least}.",
          "Nas unidades dos dados a reta dela é agora $\\hat y = \\num{end_b} + \\num{end_w}\\,x$: quase a da fórmula.",
        ],
      },
      lines: {
        title: "O que a descida vê como reta",
        text: ["Cada ponto do caminho é uma reta. Estas são as retas do início e depois de alguns passos. Primeiro a reta sobe à altura dos pontos, depois gira até a inclinação deles: uma direção do custo é íngreme, a outra é plana."],
      },
    },
    picture: { exact: "Pesos de bebês, e a reta da fórmula", map: "A descida sobre o custo", lines: "A reta a caminho", formula: "fórmula", path: "descida", after: "depois do passo" },
    exercise: {
      ask: ["Quantos quilos a reta da fórmula dá a um bebê de {months} meses?"],
      hint: "Ponha a idade em $\\hat y = b + w x$, com o $w$ e o $b$ da fórmula.",
      fields: { weight: "Peso em quilos" },
      right: "A reta dá {told} quilos.",
      wrong: { off: "$\\num{intercept} + \\num{slope} \\cdot \\num{months}$ é outro número. Tome $b$ uma vez, e $w$ uma vez por mês." },
    },
  },
  load: async (calls) => {
    const months = whole(calls.draw, 3, 23);
    const start = [rounded(calls.draw, -4, 0), rounded(calls.draw, 1, 5)];
    const rate = rounded(calls.draw, 0.5, 0.9);
    const dataset_id = await calls.dataset(WEIGHTS);
    const exact = await relation(calls, dataset_id, OF_WEIGHTS.feature, OF_WEIGHTS.target);
    const found = await descend(calls, { dataset_id, ...OF_WEIGHTS, start, epochs: STEPS, descents: [{ optimizer: plain(rate), batch_size: "full" }] });
    return { months, rate, exact, found };
  },
  numbers: ({ months, rate, exact, found: { paths, surfaces } }) => {
    const path = paths[0]!;
    const end = path.coefficients[path.coefficients.length - 1]!;
    return {
      months: number(months),
      rows: number(exact.rows),
      slope: number(exact.y_on_x!.slope),
      intercept: number(exact.y_on_x!.intercept),
      rate: number(rate),
      steps: number(path.costs.length - 1),
      first: number(path.costs[0]),
      end: number(lastCost(path)),
      least: number(leastCost(surfaces[0]!)),
      end_w: number(end[0]),
      end_b: number(end[1]),
    };
  },
  pictures: {
    formula: ({ data: { exact }, words }) => <PointsAndLines title={words.exact!} found={exact} lines={[lineOf(exact, words.formula!)]} />,
    descent: ({ data: { found }, words }) => <CostMap title={words.map!} surface={found.surfaces[0]!} paths={[{ name: words.path!, path: found.paths[0]! }]} />,
    lines: ({ data: { exact, found }, words }) => (
      <PointsAndLines title={words.lines!} found={exact} lines={DRAWN.map((step) => ({ name: `${words.after} ${number(step)}`, slope: toNumber(found.paths[0]!.coefficients[step]![0]), intercept: toNumber(found.paths[0]!.coefficients[step]![1]) }))} />
    ),
  },
  exercise: {
    fields: () => [{ name: "weight", start: 0, least: -1000, most: 1000 }],
    judge: ({ weight }, { exact, months }) => {
      const { slope, intercept } = lineOf(exact, "");
      const told = intercept + slope * months;
      return { isRight: Math.abs(Number(weight) - told) <= TOLERANCE, why: "off", numbers: { told: number(told) } };
    },
  },
});


