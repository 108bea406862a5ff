/** Initialization: what the first weights do to a deep network, and to the digits that it gets wrong. */
import { api, body, type Schema } from "~/api/client";
import { Line } from "~/charts/Line";
import { Figure } from "~/elements/Figure";
import { integer, number, percent, toNumber } from "~/text/format";
import type { Calls, Job } from "../calls";
import { lesson } from "../lesson";
import { shuffled } from "../seeded";

interface Start {
  name: string;
  spread: Schema["Initialization"];
  job: Job;
  wrong: number;
  rows: number;
}

interface Data {
  starts: Start[];
  /** In the order in which the exercise offers them. */
  offered: string[];
}

const SMALL = 0.01;
const STARTS: Record<string, object> = {
  zeros: { kind: "zeros" },
  small: { kind: "normal", std: SMALL },
  large: { kind: "standard_normal" },
  xavier: { kind: "xavier_normal" },
  he: { kind: "he_normal" },
};
const [DEPTH, WIDTH] = [10, 100];
const EPOCHS = 3;
/** Images of a sheet, and how many stand side by side. */
const [SHOWN, COLUMNS] = [30, 15];
/** Of an error that comes back, all but lost. */
const LOST = 1e-3;

export const initialisation = lesson<Data>({
  name: "initialisation",
  english: {
    title: "Initialization",
    lead: "Before the first step it may already be decided whether a network learns.",
    parts: {
      why: {
        title: "Why not all zeros?",
        text: [
          "Units that begin alike get the same gradient, and stay alike: a layer of them is worth a single unit. So the first weights are drawn at random. The question is how large.",
          "A unit sums over $n$ inputs. If the weights are independent, the variance of the sum is",
          "$$\\operatorname{Var}(z) = n \\operatorname{Var}(w)\\, \\operatorname{E}[a^2]$$",
          "So each layer multiplies the deviation by about $\\sqrt{n \\operatorname{Var}(w)}$, and so does the way back with the error. Xavier's start makes that factor one. He's start makes it larger, for ReLU, which lets half of the numbers through.",
        ],
      },
      spread: {
        title: "Through many layers",
        text: [
          "The pictures show {depth} layers of {width} tanh units before any training. With small weights, drawn with a deviation of {small_std}, the activations fade from {small_first} in the first layer to {small_last} in the last. With large ones the units are *saturated*: {large_saturated} of their slopes are all but zero. With Xavier's the deviation goes from {xavier_first} to {xavier_last}.",
          "The error that comes back tells the same. From the last layer to the first it is multiplied by {small_back} with small weights, by {large_back} with large ones, and by {xavier_back} with Xavier's. From zeros there is nothing to draw: all of it is zero.",
        ],
      },
      digits: {
        title: "On digits",
        text: [
          "A network with three hidden layers learns to read digits, for {epochs} epochs, from each of the five starts. Of {rows} digits that it has not seen it gets wrong: {wrong_zeros} from zeros, {wrong_small} from small weights, {wrong_large} from large ones, {wrong_xavier} from Xavier's and {wrong_he} from He's.",
          "The sheets show misclassified digits, those with the largest loss first.",
        ],
      },
    },
    picture: { forward: "Deviation of the activations, layer by layer", backward: "Deviation of the error that comes back", layer: "layer", zeros: "zeros", small: "small", large: "large", xavier: "Xavier", he: "He", wrong: "misclassified" },
    exercise: {
      ask: ["With one start an error reaches the first of the {depth} layers that is not zero, and yet less than a thousandth of what it was in the last. Which one?"],
      hint: "Look at the second picture: which line falls furthest on the way to the first layer? Where all weights are zero, no error comes back at all.",
      fields: { start: "The start" },
      options: { zeros: "All zeros", small: "Small", large: "Large", xavier: "Xavier", he: "He" },
      right: "It is multiplied by {back}. The first layers hardly learn.",
      wrong: { zero: "There no error comes back at all.", other: "There the error is multiplied by {back}: more than that is left of it." },
    },
  },
  portuguese: {
    title: "Inicialização",
    lead: "Antes do primeiro passo já pode estar decidido se uma rede aprende.",
    parts: {
      why: {
        title: "Por que não tudo zero?",
        text: [
          "Unidades que começam iguais recebem o mesmo gradiente, e ficam iguais: uma camada delas vale uma só unidade. Por isso os primeiros pesos são sorteados. A questão é de que tamanho.",
          "Uma unidade soma $n$ entradas. Se os pesos são independentes, a variância da soma é",
          "$$\\operatorname{Var}(z) = n \\operatorname{Var}(w)\\, \\operatorname{E}[a^2]$$",
          "Assim cada camada multiplica o desvio por cerca de $\\sqrt{n \\operatorname{Var}(w)}$, e o caminho de volta faz o mesmo com o erro. O início de Xavier torna esse fator um. O de He o torna maior, para a ReLU, que deixa passar metade dos números.",
        ],
      },
      spread: {
        title: "Por muitas camadas",
        text: [
          "As figuras mostram {depth} camadas de {width} unidades tanh antes de qualquer treinamento. Com pesos pequenos, sorteados com um desvio de {small_std}, as ativações somem de {small_first} na primeira camada para {small_last} na última. Com pesos grandes as unidades ficam *saturadas*: {large_saturated} das inclinações são quase zero. Com os de Xavier o desvio vai de {xavier_first} a {xavier_last}.",
          "O erro que volta conta o mesmo. Da última camada à primeira ele é multiplicado por {small_back} com pesos pequenos, por {large_back} com grandes, e por {xavier_back} com os de Xavier. A partir de zeros não há o que desenhar: tudo é zero.",
        ],
      },
      digits: {
        title: "Em dígitos",
        text: [
          "Uma rede com três camadas ocultas aprende a ler dígitos, por {epochs} épocas, a partir de cada um dos cinco inícios. De {rows} dígitos que ela não viu, erra: {wrong_zeros} a partir de zeros, {wrong_small} de pesos pequenos, {wrong_large} de grandes, {wrong_xavier} dos de Xavier e {wrong_he} dos de He.",
          "As folhas mostram dígitos mal classificados, os de maior perda primeiro.",
        ],
      },
    },
    picture: { forward: "Desvio das ativações, camada por camada", backward: "Desvio do erro que volta", layer: "camada", zeros: "zeros", small: "pequenos", large: "grandes", xavier: "Xavier", he: "He", wrong: "mal classificados" },
    exercise: {
      ask: ["Com um dos inícios chega à primeira das {depth} camadas um erro que não é zero, e que mesmo assim é menos de um milésimo do que era na última. Qual é?"],
      hint: "Veja a segunda figura: qual linha cai mais no caminho até a primeira camada? Onde todos os pesos são zero, não volta erro nenhum.",
      fields: { start: "O início" },
      options: { zeros: "Tudo zero", small: "Pequenos", large: "Grandes", xavier: "Xavier", he: "He" },
      right: "Ele é multiplicado por {back}. As primeiras camadas quase não aprendem.",
      wrong: { zero: "Ali não volta erro nenhum.", other: "Ali o erro é multiplicado por {back}: resta mais que isso dele." },
    },
  },
  load: async (calls) => {
    const digits = await calls.dataset({ kind: "digits" });
    const starts = await Promise.all(Object.entries(STARTS).map(([name, initializer]) => started(calls, digits, name, initializer)));
    return { starts, offered: shuffled(calls.draw, Object.keys(STARTS)) };
  },
  numbers: ({ starts }) => {
    const by = Object.fromEntries(starts.map((start) => [start.name, start])) as Record<string, Start>;
    const deviation = (name: string, at: number) => number(by[name]!.spread.layers.at(at)!.activations.std, 3);
    const saturated = by.large!.spread.layers.reduce((sum, layer) => sum + layer.saturated, 0) / DEPTH!;
    return {
      depth: number(DEPTH),
      width: number(WIDTH),
      epochs: number(EPOCHS),
      rows: integer(starts[0]!.rows),
      small_std: number(SMALL),
      small_first: deviation("small", 0),
      small_last: deviation("small", -1),
      xavier_first: deviation("xavier", 0),
      xavier_last: deviation("xavier", -1),
      large_saturated: percent(saturated),
      small_back: number(back(by.small!), 3),
      large_back: number(back(by.large!), 3),
      xavier_back: number(back(by.xavier!), 3),
      ...Object.fromEntries(starts.map(({ name, wrong }) => [`wrong_${name}`, integer(wrong)])),
    };
  },
  pictures: {
    spread: ({ data: { starts }, words }) => (
      <>
        <Spread title={words.forward!} starts={starts} of="activations" words={words} />
        <Spread title={words.backward!} starts={starts} of="gradients" words={words} />
      </>
    ),
    digits: ({ data: { starts }, words }) => (
      <>
        {starts.map(({ name, job, wrong }) => (
          <figure key={name} class="figure">
            <h3>
              <a href={`/jobs/${job.id}?tab=evaluation`}>{words[name]}</a>: {integer(wrong)} {words.wrong}
            </h3>
            {wrong > 0 && <img class="sheet" alt={`${words[name]}: ${words.wrong}`} src={`/v1/jobs/${job.id}/predictions?only=wrong&limit=${SHOWN}&columns=${COLUMNS}&scale=4`} />}
          </figure>
        ))}
      </>
    ),
  },
  exercise: {
    fields: ({ offered }) => [{ name: "start", options: offered }],
    judge: ({ start }, { starts }) => {
      const factor = back(starts.find(({ name }) => name === start)!);
      return { isRight: factor > 0 && factor < LOST, why: factor === 0 ? "zero" : "other", numbers: { back: number(factor, 3) } };
    },
  },
});

/** By what the error is multiplied on its way from the last hidden layer to the first. */
const back = ({ spread: { layers } }: Pick<Start, "spread">): number => toNumber(layers[0]!.gradients.std) / (toNumber(layers[layers.length - 1]!.gradients.std) || 1);

async function started(calls: Calls, digits: string, name: string, initializer: object): Promise<Start> {
  const propagation = { initializer, activation: "tanh", depth: DEPTH, width: WIDTH, seed: calls.seed } as unknown as Schema["Propagation"];
  const hidden = Array.from({ length: 3 }, () => ({ units: 32, activation: "tanh" }));
  const request = { target: "digit", model: { kind: "mlp", hidden, initializer }, epochs: EPOCHS, seed: calls.seed };
  const [spread, job] = await Promise.all([body(api.POST("/v1/initializations", { body: propagation, signal: calls.signal })), calls.job(digits, `digits, first weights ${name}, seed ${calls.seed}`, request)]);
  const query = { only: "wrong", limit: 1 } as const;
  const { total, rows } = await body<Schema["SplitPredictions"]>(api.GET("/v1/jobs/{job_id}/predictions", { params: { path: { job_id: job.id }, query }, headers: { Accept: "application/json" }, signal: calls.signal }) as never);
  return { name, spread, job, wrong: total, rows };
}

function Spread({ title, starts, of, words }: { title: string; starts: Start[]; of: "activations" | "gradients"; words: Record<string, string> }) {
  const series = starts.map(({ name, spread }) => ({ name: words[name]!, x: spread.layers.map((_, place) => place + 1), y: spread.layers.map((layer) => toNumber(layer[of].std) || NaN) }));
  return (
    <Figure title={title} rows={() => ({ columns: ["start", "layer", "std"], rows: series.flatMap(({ name, x, y }) => x.map((at, place) => [name, at, y[place]!])) })}>
      <Line label={title} series={series} xLabel={words.layer!} scale="log" height={280} formatX={(value) => (Number.isInteger(value) ? integer(value) : "")} />
    </Figure>
  );
}
