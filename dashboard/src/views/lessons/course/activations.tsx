/** Activations, and what their slopes do to a deep network. */
import { number, toNumber } from "~/text/format";
import { curve, FunctionCurves, type Curve } from "../functions";
import { lesson } from "../lesson";
import { rounded, whole } from "../seeded";

interface Data {
  /** Of the sigmoid, tanh and ReLU, in this order. */
  curves: Curve[];
  depth: number;
  far: number;
  /** The sigmoid's slope at `far`. */
  flat: number;
}

const NAMES = ["sigmoid", "tanh", "relu"];
const RANGE = { from: -6, to: 6, points: 241 };
/** By which share an answer may be off. */
const TOLERANCE = 0.02;

export const activations = lesson<Data>({
  name: "activations",
  english: {
    title: "Activations",
    lead: "What bends a network, and what lets the error through.",
    parts: {
      curves: {
        title: "Without a bend no depth",
        text: [
          "Two linear layers, one after the other, are one linear layer: a product of matrices is a matrix. Only a bend between them makes depth worth anything. The activation $f$ is that bend, unit by unit.",
          "$$\\sigma(z) = \\frac{1}{1 + e^{-z}}, \\quad \\tanh z, \\quad \\operatorname{ReLU}(z) = \\max(0, z)$$",
          "The sigmoid goes from zero to one, tanh from minus one to one. ReLU is zero on one side, and leaves the other side alone.",
        ],
      },
      slopes: {
        title: "The slope is what learns",
        text: [
          "On the way back each layer multiplies the error by the slope $f'(z)$. At its steepest the sigmoid has the slope {sigmoid}, tanh has {tanh}, and ReLU has {relu}.",
          "Far out, the sigmoid and tanh are flat. At $z = \\num{far}$ the sigmoid's slope is {flat}. A unit that stands there is *saturated*: hardly any error comes through.",
          "The slope of ReLU is one wherever the unit is awake. Where it sleeps for every row, its slope is zero, and no step wakes it again.",
        ],
      },
      depth: {
        title: "Slopes multiply",
        text: ["An error that comes back through $L$ layers is multiplied by $L$ slopes. If each is below one, little is left of it in the first layers. That is the *vanishing gradient*, and one reason why ReLU is so common."],
      },
    },
    picture: { values: "Activations", slopes: "Their slopes", sigmoid: "sigmoid", tanh: "tanh", relu: "ReLU" },
    exercise: {
      ask: ["Let the weights neither grow nor shrink the error. What share of it is left at most, after it has come back through {depth} layers of sigmoids?"],
      hint: "The best that a sigmoid can do is its steepest slope, {sigmoid}. It counts once for each layer.",
      fields: { share: "Share that is left" },
      right: "At most {told} is left.",
      wrong: { one: "That is what one layer leaves. There are {depth}.", more: "So much is not left: at best each layer leaves {sigmoid} of it.", less: "More can be left: a layer leaves up to {sigmoid} of it." },
    },
  },
  portuguese: {
    title: "Ativações",
    lead: "O que dobra uma rede, e o que deixa o erro passar.",
    parts: {
      curves: {
        title: "Sem dobra não há profundidade",
        text: [
          "Duas camadas lineares, uma depois da outra, são uma só camada linear: um produto de matrizes é uma matriz. Só uma dobra entre elas dá valor à profundidade. A ativação $f$ é essa dobra, unidade por unidade.",
          "$$\\sigma(z) = \\frac{1}{1 + e^{-z}}, \\quad \\tanh z, \\quad \\operatorname{ReLU}(z) = \\max(0, z)$$",
          "A sigmoide vai de zero a um, a tanh de menos um a um. A ReLU é zero de um lado, e deixa o outro como está.",
        ],
      },
      slopes: {
        title: "Quem aprende é a inclinação",
        text: [
          "Na volta cada camada multiplica o erro pela inclinação $f'(z)$. No ponto mais íngreme a sigmoide tem inclinação {sigmoid}, a tanh tem {tanh}, e a ReLU tem {relu}.",
          "Longe do meio a sigmoide e a tanh são planas. Em $z = \\num{far}$ a inclinação da sigmoide é {flat}. Uma unidade que está ali está *saturada*: quase nenhum erro passa.",
          "A inclinação da ReLU é um onde a unidade está acordada. Onde ela dorme para todas as linhas a inclinação é zero, e nenhum passo a acorda de novo.",
        ],
      },
      depth: {
        title: "Inclinações se multiplicam",
        text: ["Um erro que volta por $L$ camadas é multiplicado por $L$ inclinações. Se cada uma fica abaixo de um, pouco resta dele nas primeiras camadas. Isso é o *gradiente que desaparece*, e uma razão de a ReLU ser tão comum."],
      },
    },
    picture: { values: "Ativações", slopes: "As inclinações delas", sigmoid: "sigmoide", tanh: "tanh", relu: "ReLU" },
    exercise: {
      ask: ["Suponha que os pesos não aumentem nem diminuam o erro. Que fração dele resta no máximo, depois de voltar por {depth} camadas de sigmoides?"],
      hint: "O melhor que uma sigmoide faz é sua maior inclinação, {sigmoid}. Ela conta uma vez por camada.",
      fields: { share: "Fração que resta" },
      right: "Resta no máximo {told}.",
      wrong: { one: "Isso é o que uma camada deixa. São {depth}.", more: "Tanto não resta: no melhor caso cada camada deixa {sigmoid} dele.", less: "Pode restar mais: uma camada deixa até {sigmoid} dele." },
    },
  },
  load: async (calls) => {
    const [depth, far] = [whole(calls.draw, 3, 6), rounded(calls.draw, 4, 6)];
    const [curves, at] = await Promise.all([Promise.all(NAMES.map((name) => curve(calls, "activation", name, RANGE))), curve(calls, "activation", "sigmoid", { from: far, to: far + 1, points: 2 })]);
    return { curves, depth, far, flat: toNumber(at.slope[0]) };
  },
  numbers: ({ curves, depth, far, flat }) => ({
    ...Object.fromEntries(curves.map((found) => [found.kind, number(steepest(found))])),
    depth: number(depth),
    far: number(far),
    flat: number(flat, 3),
  }),
  pictures: {
    curves: ({ data: { curves }, words }) => <FunctionCurves title={words.values!} curves={named(curves, words)} of="value" xLabel="z" />,
    slopes: ({ data: { curves }, words }) => <FunctionCurves title={words.slopes!} curves={named(curves, words)} of="slope" xLabel="z" />,
  },
  exercise: {
    fields: () => [{ name: "share", start: 1, least: 0, most: 1 }],
    judge: ({ share }, { curves, depth }) => {
      const slope = steepest(curves[0]!);
      const [given, told] = [Number(share), slope ** depth];
      const why = given === slope ? "one" : given > told ? "more" : "less";
      return { isRight: Math.abs(given - told) <= TOLERANCE * told, why, numbers: { told: number(told, 3) } };
    },
  },
});

const steepest = ({ slope }: Curve): number => Math.max(...slope.map(toNumber));

const named = (curves: Curve[], words: Record<string, string>) => curves.map((found) => ({ name: words[found.kind]!, found }));
