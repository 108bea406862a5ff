/** Correlation, and Anscombe's four sets. */
import { Relation as RelationChart } from "~/charts/Relation";
import { Figure } from "~/elements/Figure";
import { number, toNumber } from "~/text/format";
import { lesson } from "../lesson";
import { lineOf, PointsAndLines, relation, type Relation } from "../relations";
import { shuffled } from "../seeded";

const LETTERS = ["A", "B", "C", "D"] as const;
/** A row with all of this leverage decides its line alone. */
const ALL = 0.999;

type Data = Relation[];

export const correlation = lesson<Data>({
  name: "correlation",
  english: {
    title: "Correlation, and what it hides",
    lead: "Four sets of points with the same numbers and four different stories.",
    parts: {
      rho: {
        title: "One number for two columns",
        text: [
          "The correlation $\\rho$ tells how closely two columns follow a straight line. It lies between minus one and one. At both ends all points lie on a line; at zero no line helps.",
          "$$\\rho = \\frac{\\sum_i (x_i - \\bar x)(y_i - \\bar y)}{\\sqrt{\\sum_i (x_i - \\bar x)^2 \\sum_i (y_i - \\bar y)^2}}$$",
          "The picture shows set A, {rows} points. Their correlation is {rho_A}. The line that leaves the least sum of squared errors is $\\hat y = \\num{intercept} + \\num{slope}\\,x$. It explains the share $\\rho^2 = \\num{r2}$ of the variance of $y$.",
          "The other line tells $x$ by $y$: it leaves the least errors in $x$. The two are one line only where $\\rho$ is at one of its ends. The short strokes are the errors of the first.",
        ],
      },
      four: {
        title: "The same numbers, four times",
        text: [
          "Francis Anscombe made up four such sets. Their correlations are {rho_A}, {rho_B}, {rho_C} and {rho_D}. The slopes of their lines are {slope_A}, {slope_B}, {slope_C} and {slope_D}.",
          "Who sees these numbers alone takes the sets for one. The pictures have nothing in common: a cloud about a line, a curve, a line with one point beside it, and a column of points with one far away.",
          "So draw first, and compute then.",
        ],
      },
      rows: {
        title: "What single rows do",
        text: [
          "There are numbers that tell the sets apart. They are about rows. The leverage $h_i$ says how much a row decides what the line says at its own place: next to nothing, or everything.",
          "$$h_i = \\frac{1}{n} + \\frac{(x_i - \\bar x)^2}{\\sum_j (x_j - \\bar x)^2}$$",
          "It depends on $x$ alone, and grows with the distance from the middle. The largest leverages are {lever_A} in set A, {lever_B} in B, {lever_C} in C and {lever_D} in D.",
          "The residual is what was found less what the line says. The largest are {residual_A}, {residual_B}, {residual_C} and {residual_D}. A row that decides its line alone has a residual of zero, and so it hides.",
        ],
      },
    },
    picture: { set: "Set", line: "least squares" },
    exercise: {
      ask: ["In one of the four sets the line rests on a single row: without it all $x$ are the same, and there is no line. Which set is it?"],
      hint: "Such a row has the largest leverage that there is. Compare the numbers above, or look for points that stand in a column.",
      fields: { set: "The set" },
      right: "Its largest leverage is {lever}: one row has all the say.",
      wrong: { other: "There the largest leverage is {lever}. Every row has a say, though not the same." },
    },
  },
  portuguese: {
    title: "A correlação, e o que ela esconde",
    lead: "Quatro conjuntos de pontos com os mesmos números e quatro histórias diferentes.",
    parts: {
      rho: {
        title: "Um número para duas colunas",
        text: [
          "A correlação $\\rho$ diz quão de perto duas colunas seguem uma reta. Ela fica entre menos um e um. Nas duas pontas todos os pontos estão numa reta; em zero nenhuma reta ajuda.",
          "$$\\rho = \\frac{\\sum_i (x_i - \\bar x)(y_i - \\bar y)}{\\sqrt{\\sum_i (x_i - \\bar x)^2 \\sum_i (y_i - \\bar y)^2}}$$",
          "A figura mostra o conjunto A, {rows} pontos. A correlação deles é {rho_A}. A reta que deixa a menor soma de erros ao quadrado é $\\hat y = \\num{intercept} + \\num{slope}\\,x$. Ela explica a fração $\\rho^2 = \\num{r2}$ da variância de $y$.",
          "A outra reta diz $x$ por $y$: ela deixa os menores erros em $x$. As duas são uma só reta apenas onde $\\rho$ está numa das pontas. Os traços curtos são os erros da primeira.",
        ],
      },
      four: {
        title: "Os mesmos números, quatro vezes",
        text: [
          "Francis Anscombe inventou quatro conjuntos assim. As correlações são {rho_A}, {rho_B}, {rho_C} e {rho_D}. As inclinações das retas são {slope_A}, {slope_B}, {slope_C} e {slope_D}.",
          "Quem vê só estes números toma os conjuntos por um só. As figuras não têm nada em comum: uma nuvem em torno de uma reta, uma curva, uma reta com um ponto ao lado, e uma coluna de pontos com um bem longe.",
          "Por isso, desenhe primeiro e calcule depois.",
        ],
      },
      rows: {
        title: "O que faz uma só linha",
        text: [
          "Há números que distinguem os conjuntos. Eles falam de linhas da tabela. A alavancagem $h_i$ diz quanto uma linha decide o que a reta diz no lugar dela: quase nada, ou tudo.",
          "$$h_i = \\frac{1}{n} + \\frac{(x_i - \\bar x)^2}{\\sum_j (x_j - \\bar x)^2}$$",
          "Ela depende só de $x$, e cresce com a distância do meio. As maiores alavancagens são {lever_A} no conjunto A, {lever_B} no B, {lever_C} no C e {lever_D} no D.",
          "O resíduo é o que se encontrou menos o que a reta diz. Os maiores são {residual_A}, {residual_B}, {residual_C} e {residual_D}. Uma linha que decide a reta sozinha tem resíduo zero, e assim se esconde.",
        ],
      },
    },
    picture: { set: "Conjunto", line: "mínimos quadrados" },
    exercise: {
      ask: ["Em um dos quatro conjuntos a reta depende de uma só linha: sem ela todos os $x$ são iguais, e não há reta. Qual é o conjunto?"],
      hint: "Uma linha assim tem a maior alavancagem que existe. Compare os números acima, ou procure pontos que formam uma coluna.",
      fields: { set: "O conjunto" },
      right: "A maior alavancagem dele é {lever}: uma só linha decide tudo.",
      wrong: { other: "Ali a maior alavancagem é {lever}. Toda linha tem voz, ainda que não a mesma." },
    },
  },
  load: async (calls) => {
    const order = shuffled(calls.draw, [1, 2, 3, 4]);
    return Promise.all(order.map(async (set) => relation(calls, await calls.dataset({ kind: "anscombe", set }), "x", "y")));
  },
  numbers: (sets) => ({
    rows: number(sets[0]!.rows),
    intercept: number(sets[0]!.y_on_x!.intercept, 3),
    slope: number(sets[0]!.y_on_x!.slope, 3),
    r2: number(sets[0]!.y_on_x!.r2, 3),
    ...byLetter("rho", sets, (set) => number(set.rho, 3)),
    ...byLetter("slope", sets, (set) => number(set.y_on_x!.slope, 3)),
    ...byLetter("lever", sets, (set) => number(largest(set.y_on_x!.leverages), 3)),
    ...byLetter("residual", sets, (set) => number(largest(set.y_on_x!.residuals), 3)),
  }),
  pictures: {
    rho: ({ data, words }) => (
      <Figure title={`${words.set} A`}>
        <RelationChart relation={data[0]!} height={320} />
      </Figure>
    ),
    four: ({ data, words }) => (
      <div class="pictures">
        {data.map((set, place) => (
          <PointsAndLines key={place} title={`${words.set} ${LETTERS[place]}`} found={set} lines={[lineOf(set, words.line!)]} height={200} among={data} />
        ))}
      </div>
    ),
  },
  exercise: {
    fields: () => [{ name: "set", options: [...LETTERS] }],
    judge: ({ set }, sets) => {
      const lever = largest(sets[LETTERS.findIndex((letter) => letter === set)]!.y_on_x!.leverages);
      return { isRight: lever > ALL, numbers: { lever: number(lever, 3) } };
    },
  },
});

const largest = (values: (number | string | null)[]): number => Math.max(...values.map((value) => Math.abs(toNumber(value))));

const byLetter = (name: string, sets: Data, told: (set: Relation) => string) => Object.fromEntries(sets.map((set, place) => [`${name}_${LETTERS[place]}`, told(set)]));
