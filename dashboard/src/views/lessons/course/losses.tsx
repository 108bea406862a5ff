/** Losses: what an error costs, and which line comes of it. */
import { number, toNumber } from "~/text/format";
import { descend, plain, type Descents } from "../descents";
import { curve, FunctionCurves, type Curve } from "../functions";
import { lesson } from "../lesson";
import { PointsAndLines, relation, type Relation } from "../relations";
import { rounded } from "../seeded";

interface Data {
  /** Of half the squared, the absolute and Huber's loss, in this order. */
  curves: Curve[];
  exact: Relation;
  /** By the same losses. */
  fits: Descents[];
  classes: Curve[];
  error: number;
  /** Huber's loss of `error`. */
  told: number;
}

const LOSSES = ["half_mse", "mae", "huber"];
const RANGE = { from: -4, to: 4, points: 161 };
const TOLERANCE = 0.01;

export const losses = lesson<Data>({
  name: "losses",
  english: {
    title: "Losses",
    lead: "What an error costs decides what is learned.",
    parts: {
      curves: {
        title: "The price of an error",
        text: [
          "The loss $\\ell(e)$ says what an error $e = \\hat y - y$ costs. Half the square makes large errors very dear. The absolute value charges each unit of error the same. Huber's loss is a square near zero and a line farther out:",
          "$$\\ell = \\begin{cases} \\tfrac{1}{2} e^2 & |e| \\le \\delta \\\\ \\delta\\,(|e| - \\tfrac{1}{2}\\delta) & |e| > \\delta \\end{cases}$$",
          "An error of {error} costs {square} by half the square, and {absolute} by the absolute value.",
        ],
      },
      outlier: {
        title: "One row far off",
        text: [
          "In this set of {rows} rows all but one lie on a line. The slope of that line is known to none of the losses. Each finds its own by descent: half the square finds {slope_half_mse}, the absolute value {slope_mae}, and Huber's loss, with $\\delta = \\num{delta}$, {slope_huber}.",
          "By the square, the row that is far off pulls hardest of all, and the line follows it. By the absolute value it has one voice among many.",
        ],
      },
      classes: {
        title: "For classes",
        text: [
          "A probability $p$ of the right class costs $-\\ln p$, the cross-entropy. Here it is drawn over the raw output $z$ with $p = \\sigma(z)$. At $z = \\num{low}$ the answer is sure and wrong: it costs {cross}, and its slope is {cross_slope}.",
          "So the worst answers move the weights most, just where a sigmoid with squares would be flat and learn nothing. The hinge charges nothing at all for an answer that is right by a margin.",
        ],
      },
    },
    picture: { curves: "Losses of an error", error: "error e", lines: "The line that each loss finds", half_mse: "half the square", mae: "absolute value", huber: "Huber", binary_cross_entropy: "cross-entropy", hinge: "hinge", classes: "Losses of a raw output, where the class is right", output: "raw output z" },
    exercise: {
      ask: ["What does an error of {error} cost by Huber's loss with $\\delta = \\num{delta}$?"],
      hint: "The error is larger than $\\delta$, so the second line of the formula counts.",
      fields: { loss: "Loss" },
      right: "It costs {told}.",
      wrong: { square: "That is half the square. Beyond $\\delta$ the line counts.", absolute: "That is the absolute value. From it goes half of $\\delta$.", other: "Put $e$ and $\\delta$ into the second line of the formula." },
    },
  },
  portuguese: {
    title: "Perdas",
    lead: "O que um erro custa decide o que se aprende.",
    parts: {
      curves: {
        title: "O preço de um erro",
        text: [
          "A perda $\\ell(e)$ diz quanto custa um erro $e = \\hat y - y$. Metade do quadrado torna erros grandes muito caros. O valor absoluto cobra o mesmo por cada unidade de erro. A perda de Huber é um quadrado perto de zero e uma reta mais longe:",
          "$$\\ell = \\begin{cases} \\tfrac{1}{2} e^2 & |e| \\le \\delta \\\\ \\delta\\,(|e| - \\tfrac{1}{2}\\delta) & |e| > \\delta \\end{cases}$$",
          "Um erro de {error} custa {square} por metade do quadrado, e {absolute} pelo valor absoluto.",
        ],
      },
      outlier: {
        title: "Uma linha bem longe",
        text: [
          "Neste conjunto de {rows} linhas todas menos uma estão numa reta. Nenhuma das perdas conhece a inclinação dela. Cada uma acha a sua por descida: metade do quadrado acha {slope_half_mse}, o valor absoluto {slope_mae}, e a perda de Huber, com $\\delta = \\num{delta}$, {slope_huber}.",
          "Pelo quadrado, a linha que está longe puxa mais que todas, e a reta a segue. Pelo valor absoluto ela é uma voz entre muitas.",
        ],
      },
      classes: {
        title: "Para classes",
        text: [
          "Uma probabilidade $p$ da classe certa custa $-\\ln p$, a entropia cruzada. Aqui ela é desenhada sobre a saída bruta $z$ com $p = \\sigma(z)$. Em $z = \\num{low}$ a resposta tem certeza e está errada: custa {cross}, e a inclinação é {cross_slope}.",
          "Assim as piores respostas movem mais os pesos, justo onde uma sigmoide com quadrados seria plana e não aprenderia nada. A perda hinge não cobra nada por uma resposta certa com margem.",
        ],
      },
    },
    picture: { curves: "Perdas de um erro", error: "erro e", lines: "A reta que cada perda acha", half_mse: "metade do quadrado", mae: "valor absoluto", huber: "Huber", binary_cross_entropy: "entropia cruzada", hinge: "hinge", classes: "Perdas de uma saída bruta, quando a classe é a certa", output: "saída bruta z" },
    exercise: {
      ask: ["Quanto custa um erro de {error} pela perda de Huber com $\\delta = \\num{delta}$?"],
      hint: "O erro é maior que $\\delta$, então vale a segunda linha da fórmula.",
      fields: { loss: "Perda" },
      right: "Custa {told}.",
      wrong: { square: "Isso é metade do quadrado. Além de $\\delta$ vale a reta.", absolute: "Isso é o valor absoluto. Dele sai metade de $\\delta$.", other: "Ponha $e$ e $\\delta$ na segunda linha da fórmula." },
    },
  },
  load: async (calls) => {
    const error = rounded(calls.draw, 1.5, 3.9);
    const dataset_id = await calls.dataset({ kind: "anscombe", set: 3 });
    const fit = (kind: string) => descend(calls, { dataset_id, feature: "x", target: "y", loss: { kind }, epochs: 400, descents: [{ preprocessing: { scaling: "standard" }, optimizer: plain(0.1), batch_size: "full" }] });
    const [curves, fits, classes, at, exact] = await Promise.all([
      Promise.all(LOSSES.map((name) => curve(calls, "loss", name, RANGE))),
      Promise.all(LOSSES.map(fit)),
      Promise.all(["binary_cross_entropy", "hinge"].map((name) => curve(calls, "loss", name, { ...RANGE, target: 1 }))),
      curve(calls, "loss", "huber", { from: error, to: error + 1, points: 2 }),
      relation(calls, dataset_id, "x", "y"),
    ]);
    return { curves, fits, classes, error, told: toNumber(at.value[0]), exact };
  },
  numbers: ({ curves, exact, fits, classes, error }) => ({
    error: number(error),
    square: number(error ** 2 / 2),
    absolute: number(error),
    delta: number(deltaOf(curves)),
    rows: number(exact.rows),
    ...Object.fromEntries(LOSSES.map((name, place) => [`slope_${name}`, number(fitted(fits[place]!)[0], 3)])),
    low: number(classes[0]!.z[0]),
    cross: number(classes[0]!.value[0], 3),
    cross_slope: number(classes[0]!.slope[0], 3),
  }),
  pictures: {
    curves: ({ data: { curves }, words }) => <FunctionCurves title={words.curves!} curves={curves.map((found) => ({ name: words[found.kind]!, found }))} of="value" xLabel={words.error!} />,
    outlier: ({ data: { fits, exact }, words }) => (
      <PointsAndLines title={words.lines!} found={exact} lines={fits.map((found, place) => ({ name: words[LOSSES[place]!]!, slope: fitted(found)[0]!, intercept: fitted(found)[1]! }))} />
    ),
    classes: ({ data: { classes }, words }) => <FunctionCurves title={words.classes!} curves={classes.map((found) => ({ name: words[found.kind]!, found }))} of="value" xLabel={words.output!} />,
  },
  exercise: {
    fields: () => [{ name: "loss", start: 0, least: 0, most: 100 }],
    judge: ({ loss }, { error, told }) => {
      const given = Number(loss);
      const near = (value: number) => Math.abs(given - value) <= TOLERANCE;
      return { isRight: near(told), why: near(error ** 2 / 2) ? "square" : near(error) ? "absolute" : "other", numbers: { told: number(told) } };
    },
  },
});

const deltaOf = (curves: Curve[]): number => toNumber((curves[2]!.parameters as Record<string, number>).delta);

/** [w, b] at the end of the descent, in the data's own units. */
const fitted = ({ paths }: Descents): number[] => paths[0]!.coefficients[paths[0]!.coefficients.length - 1]!.map(toNumber);
