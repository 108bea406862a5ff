/** Backpropagation on a small network, to the digit. */
import { api, body, type Schema } from "~/api/client";
import { Network } from "~/charts/Network";
import { Figure } from "~/elements/Figure";
import { number, toNumber } from "~/text/format";
import { lesson } from "../lesson";
import { rounded, whole } from "../seeded";

/** The numbers of a trace by name and layer, as rows. */
type Found = (name: string, layer?: string) => number[][];

interface Data {
  trace: Schema["Trace"];
  rate: number;
}

const [HIDDEN, OUTPUT] = ["hidden_1", "output"];
const DIGITS = 7;
const STEPS = 2;
/** How far off an answer may be: it may be rounded to four places. */
const TOLERANCE = 5.1e-5;

export const backpropagation = lesson<Data>({
  name: "backpropagation",
  english: {
    title: "Backpropagation, to the digit",
    lead: "Forward with the numbers, back with the error, and a step for each weight.",
    parts: {
      forward: {
        title: "Forward",
        text: [
          "Two inputs, two hidden units, one output, no bias and no bend: a network small enough to be worked out by hand. The inputs are $x_1 = \\num{x1}$ and $x_2 = \\num{x2}$.",
          "$$h_1 = \\num{w11} \\cdot \\num{x1} + \\num{w21} \\cdot \\num{x2} = \\num{h1}$$",
          "$$h_2 = \\num{w12} \\cdot \\num{x1} + \\num{w22} \\cdot \\num{x2} = \\num{h2}$$",
          "$$o = \\num{v1} \\cdot \\num{h1} + \\num{v2} \\cdot \\num{h2} = \\num{o}$$",
          "The target is $y = \\num{y}$. So the cost is",
          "$$J = \\tfrac{1}{2}(o - y)^2 = \\num{J}$$",
        ],
      },
      backward: {
        title: "Back",
        text: [
          "How does $J$ change with each number? Begin at the end. With the output it changes by",
          "$$\\delta_o = o - y = \\num{d_o}$$",
          "The chain rule goes on from there. A weight changes the output by the number that it multiplies, and a hidden unit by its weight:",
          "$$\\frac{\\partial J}{\\partial v_1} = \\delta_o\\, h_1 = \\num{dv1}$$",
          "$$\\delta_{h_1} = \\delta_o\\, v_1 = \\num{d_h1}$$",
          "$$\\frac{\\partial J}{\\partial v_2} = \\delta_o\\, h_2 = \\num{dv2}$$",
          "$$\\delta_{h_2} = \\delta_o\\, v_2 = \\num{d_h2}$$",
          "The lines of the picture show the slope of each weight. Every slope used what the layer after it had found: nothing is worked out twice.",
        ],
      },
      update: {
        title: "The step",
        text: [
          "Each weight goes against its slope, with $\\eta = \\num{rate}$:",
          "$$v_1 \\leftarrow \\num{v1} - \\num{rate} \\cdot (\\num{dv1}) = \\num{new_v1}$$",
          "After this one step the output is {next_o} in the place of {o}, and the cost {next_J} in the place of {J}.",
        ],
      },
    },
    picture: { forward: "The numbers on their way forward", backward: "The slopes on their way back" },
    exercise: {
      ask: ["Work out the new value of the weight from $x_1$ to $h_1$, which was {w11}. Give four decimal places."],
      hint: "Its slope is $\\delta_{h_1} x_1$. Multiply that by $\\eta$, and take it away from the weight.",
      fields: { weight: "New weight from x₁ to h₁" },
      right: "The slope is {dw11}, and the new weight {told}.",
      wrong: { sign: "That went up the slope. The step goes against it.", rate: "That is a step as long as the slope. The learning rate is missing.", other: "The slope of this weight is $\\delta_{h_1} x_1 = \\num{d_h1} \\cdot \\num{x1}$." },
    },
  },
  portuguese: {
    title: "Retropropagação, até o dígito",
    lead: "Para a frente com os números, de volta com o erro, e um passo para cada peso.",
    parts: {
      forward: {
        title: "Para a frente",
        text: [
          "Duas entradas, duas unidades ocultas, uma saída, sem viés e sem dobra: uma rede pequena o bastante para se calcular à mão. As entradas são $x_1 = \\num{x1}$ e $x_2 = \\num{x2}$.",
          "$$h_1 = \\num{w11} \\cdot \\num{x1} + \\num{w21} \\cdot \\num{x2} = \\num{h1}$$",
          "$$h_2 = \\num{w12} \\cdot \\num{x1} + \\num{w22} \\cdot \\num{x2} = \\num{h2}$$",
          "$$o = \\num{v1} \\cdot \\num{h1} + \\num{v2} \\cdot \\num{h2} = \\num{o}$$",
          "O alvo é $y = \\num{y}$. Portanto o custo é",
          "$$J = \\tfrac{1}{2}(o - y)^2 = \\num{J}$$",
        ],
      },
      backward: {
        title: "De volta",
        text: [
          "Como $J$ muda com cada número? Comece pelo fim. Com a saída ele muda em",
          "$$\\delta_o = o - y = \\num{d_o}$$",
          "A regra da cadeia segue daí. Um peso muda a saída conforme o número que ele multiplica, e uma unidade oculta conforme seu peso:",
          "$$\\frac{\\partial J}{\\partial v_1} = \\delta_o\\, h_1 = \\num{dv1}$$",
          "$$\\delta_{h_1} = \\delta_o\\, v_1 = \\num{d_h1}$$",
          "$$\\frac{\\partial J}{\\partial v_2} = \\delta_o\\, h_2 = \\num{dv2}$$",
          "$$\\delta_{h_2} = \\delta_o\\, v_2 = \\num{d_h2}$$",
          "As linhas da figura mostram a inclinação de cada peso. Cada uma usou o que a camada seguinte já tinha achado: nada se calcula duas vezes.",
        ],
      },
      update: {
        title: "O passo",
        text: [
          "Cada peso vai contra sua inclinação, com $\\eta = \\num{rate}$:",
          "$$v_1 \\leftarrow \\num{v1} - \\num{rate} \\cdot (\\num{dv1}) = \\num{new_v1}$$",
          "Depois deste único passo a saída é {next_o} em vez de {o}, e o custo {next_J} em vez de {J}.",
        ],
      },
    },
    picture: { forward: "Os números no caminho para a frente", backward: "As inclinações no caminho de volta" },
    exercise: {
      ask: ["Calcule o novo valor do peso de $x_1$ a $h_1$, que era {w11}. Dê quatro casas decimais."],
      hint: "A inclinação dele é $\\delta_{h_1} x_1$. Multiplique-a por $\\eta$, e subtraia isso do peso.",
      fields: { weight: "Novo peso de x₁ a h₁" },
      right: "A inclinação é {dw11}, e o novo peso {told}.",
      wrong: { sign: "Isso subiu a inclinação. O passo vai contra ela.", rate: "Isso é um passo do tamanho da inclinação. Falta a taxa de aprendizado.", other: "A inclinação deste peso é $\\delta_{h_1} x_1 = \\num{d_h1} \\cdot \\num{x1}$." },
    },
  },
  load: async (calls) => {
    const weight = () => rounded(calls.draw, 0.05, 0.4, 2);
    const inputs = [[whole(calls.draw, 1, 4), whole(calls.draw, 1, 4)]];
    const layers = [
      { weights: [[weight(), weight()], [weight(), weight()]], activation: "identity" },
      { weights: [[weight()], [weight()]], activation: "identity" },
    ];
    const rate = rounded(calls.draw, 0.02, 0.06, 2);
    const request = { layers, loss: "half_mse", optimizer: { kind: "gradient_descent", learning_rate: rate }, inputs, targets: [[whole(calls.draw, 1, 2)]], steps: STEPS };
    return { rate, trace: await body<Schema["Trace"]>(api.POST("/v1/traces", { body: request as unknown as Schema["GivenTrace"], signal: calls.signal })) };
  },
  numbers: ({ trace, rate }) => {
    const [now, next] = [of(trace, 0), of(trace, 1)];
    const [x, W, V, h] = [now("A")[0]!, now("W", HIDDEN), now("W", OUTPUT), now("A", HIDDEN)[0]!];
    const told: Record<string, number | undefined> = {
      x1: x[0],
      x2: x[1],
      w11: W[0]![0],
      w12: W[0]![1],
      w21: W[1]![0],
      w22: W[1]![1],
      v1: V[0]![0],
      v2: V[1]![0],
      h1: h[0],
      h2: h[1],
      o: now("A", OUTPUT)[0]![0],
      y: now("targets")[0]![0],
      J: now("J")[0]![0],
      d_o: now("dZ", OUTPUT)[0]![0],
      d_h1: now("dZ", HIDDEN)[0]![0],
      d_h2: now("dZ", HIDDEN)[0]![1],
      dv1: now("dW", OUTPUT)[0]![0],
      dv2: now("dW", OUTPUT)[1]![0],
      dw11: now("dW", HIDDEN)[0]![0],
      new_v1: now("new_W", OUTPUT)[0]![0],
      next_o: next("A", OUTPUT)[0]![0],
      next_J: next("J")[0]![0],
      rate,
    };
    return Object.fromEntries(Object.entries(told).map(([name, value]) => [name, number(value, DIGITS)]));
  },
  pictures: {
    forward: ({ data: { trace }, words }) => <Drawn title={words.forward!} found={of(trace, 0)} of="A" lines="W" />,
    backward: ({ data: { trace }, words }) => <Drawn title={words.backward!} found={of(trace, 0)} of="dZ" lines="dW" />,
  },
  exercise: {
    fields: () => [{ name: "weight", start: 0, least: -100, most: 100 }],
    judge: ({ weight }, { trace, rate }) => {
      const found = of(trace, 0);
      const [before, slope, told] = [found("W", HIDDEN)[0]![0]!, found("dW", HIDDEN)[0]![0]!, found("new_W", HIDDEN)[0]![0]!];
      const near = (value: number) => Math.abs(Number(weight) - value) <= TOLERANCE;
      return { isRight: near(told), why: near(before + rate * slope) ? "sign" : near(before - slope) ? "rate" : "other", numbers: { told: number(told, DIGITS) } };
    },
  },
});

function of({ steps }: Schema["Trace"], step: number): Found {
  return (name, layer) => {
    const { values } = steps[step]!.quantities.find((quantity) => quantity.name === name && (quantity.layer ?? undefined) === layer)!;
    const rows = Array.isArray(values) ? values : [[values]];
    return (Array.isArray(rows[0]) ? rows : [rows]).map((row) => (row as (number | string)[]).map(toNumber));
  };
}

const NAMES = [["x₁", "x₂"], ["h₁", "h₂"], ["o"]];

/** The network with the numbers of one way through it: in the units and on the lines. */
function Drawn({ title, found, of: units, lines }: { title: string; found: Found; of: "A" | "dZ"; lines: "W" | "dW" }) {
  const inUnits = [found("A")[0]!, found(units, HIDDEN)[0]!, found(units, OUTPUT)[0]!];
  return (
    <Figure title={title}>
      <Network
        label={title}
        inputs={NAMES[0]!}
        layers={[HIDDEN, OUTPUT].map((layer, place) => ({ units: inUnits[place + 1]!.length, weights: found(lines, layer), bias: null }))}
        unitName={(layer, unit) => NAMES[layer]![unit]!}
        unitText={(layer, unit) => number(inUnits[layer]![unit], 3)}
      />
    </Figure>
  );
}
