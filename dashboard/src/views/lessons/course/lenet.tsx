/** LeNet-5, cut to the size of small digits: what its convolutions look for and find. */
import { api, body, type Schema } from "~/api/client";
import { Line } from "~/charts/Line";
import { Figure } from "~/elements/Figure";
import { integer, number, percent, toNumber } from "~/text/format";
import type { Job } from "../calls";
import { lesson } from "../lesson";
import { whole } from "../seeded";

interface Data {
  job: Job;
  layers: Schema["Estimate"]["layers"];
  losses: { epochs: number[]; train: number[]; validation: number[] };
  /** A row of the dataset that is looked at. */
  row: number;
  wrong: number;
  rows: number;
}

const LENET = [
  { kind: "conv2d", filters: 6, kernel: 3, padding: "same", activation: "tanh" },
  { kind: "average_pool2d" },
  { kind: "conv2d", filters: 16, kernel: 3, padding: "same", activation: "tanh" },
  { kind: "average_pool2d" },
  { kind: "dense", units: 120, activation: "tanh" },
  { kind: "dense", units: 84, activation: "tanh" },
];
const [FIRST, SECOND] = ["conv2d_1", "conv2d_2"];
const EPOCHS = 8;
const RATE = 0.003;
const ROWS = 1797;

export const lenet = lesson<Data>({
  name: "lenet-5",
  english: {
    title: "LeNet-5",
    lead: "A network that looks at images through small windows.",
    parts: {
      idea: {
        title: "One filter for every place",
        text: [
          "A dense layer has a weight for each pixel and unit, and knows nothing of neighbors. A *convolution* has a few small filters instead. Each is laid over every patch of the image, with the same weights:",
          "$$z_{ij} = b + \\sum_{u,v} w_{uv}\\, x_{i+u,\\,j+v}$$",
          "So what a filter has learned in one corner it knows everywhere. Pooling then makes the maps smaller: it keeps what was found, and less of where.",
          "LeCun's LeNet-5 reads digits in this way: convolution, pooling, convolution, pooling, and then three dense layers. It was made for larger images. These digits have {height} × {width} pixels, so here the filters are {kernel} × {kernel}.",
        ],
      },
      layers: {
        title: "Layer by layer",
        text: [
          "The network has {parameters} numbers to learn. Most of them sit in the dense layers. The first convolution gets by with {first}.",
          "A filter has a weight for each of its pixels in each map that it reads, and one bias:",
          "$$\\text{parameters} = (k \\cdot k \\cdot c + 1) \\cdot f$$",
          "There $k$ is the side of the filter, $c$ the maps that come in, and $f$ the filters.",
        ],
      },
      sees: {
        title: "What it sees",
        text: [
          "It was trained for {epochs} epochs. Of {rows} digits that it had not seen it gets {wrong} wrong: an accuracy of {accuracy}.",
          "The pictures show one digit, the filters of the first convolution, and what each of its filters found in the digit. Then the same of the second one, whose filters read all maps of the first.",
        ],
      },
      curves: {
        title: "How it learned",
        text: ["The training loss fell from {loss_first} to {loss_last}, and that of the unseen digits to {validation_last}. Where the second stays above the first and rises, the network learns its rows by heart."],
      },
    },
    picture: {
      digit: "The digit",
      filters: "Filters of the first convolution",
      first: "What they find",
      second: "What the second convolution finds",
      table: "Layers",
      layer: "Layer",
      shape: "Output",
      parameters: "Parameters",
      curves: "Loss by epoch",
      epoch: "epoch",
      train: "training",
      validation: "validation",
      job: "The job",
    },
    exercise: {
      ask: ["The second convolution has {filters} filters of {kernel} × {kernel} pixels, and reads {maps} maps. How many numbers does it learn?"],
      hint: "Each filter reads all of the maps, and has one bias of its own.",
      fields: { parameters: "Parameters of the second convolution" },
      right: "$(\\num{kernel} \\cdot \\num{kernel} \\cdot \\num{maps} + 1) \\cdot \\num{filters}$ is {told}.",
      wrong: { bias: "The biases are missing: one for each filter.", maps: "That would be right if a filter read a single map. It reads all {maps}.", other: "Count the weights of one filter over all maps, add its bias, and take that {filters} times." },
    },
  },
  portuguese: {
    title: "LeNet-5",
    lead: "Uma rede que olha imagens por janelas pequenas.",
    parts: {
      idea: {
        title: "Um filtro para todo lugar",
        text: [
          "Uma camada densa tem um peso para cada pixel e unidade, e nada sabe de vizinhos. Uma *convolução* tem em vez disso alguns filtros pequenos. Cada um é posto sobre cada pedaço da imagem, com os mesmos pesos:",
          "$$z_{ij} = b + \\sum_{u,v} w_{uv}\\, x_{i+u,\\,j+v}$$",
          "Assim o que um filtro aprendeu num canto ele sabe em toda parte. Depois o pooling torna os mapas menores: guarda o que se achou, e menos de onde.",
          "A LeNet-5 de LeCun lê dígitos deste modo: convolução, pooling, convolução, pooling, e então três camadas densas. Ela foi feita para imagens maiores. Estes dígitos têm {height} × {width} pixels, por isso aqui os filtros são {kernel} × {kernel}.",
        ],
      },
      layers: {
        title: "Camada por camada",
        text: [
          "A rede tem {parameters} números a aprender. A maioria está nas camadas densas. À primeira convolução bastam {first}.",
          "Um filtro tem um peso para cada um de seus pixels em cada mapa que lê, e um viés:",
          "$$\\text{parâmetros} = (k \\cdot k \\cdot c + 1) \\cdot f$$",
          "Aqui $k$ é o lado do filtro, $c$ os mapas que entram, e $f$ os filtros.",
        ],
      },
      sees: {
        title: "O que ela vê",
        text: [
          "Ela foi treinada por {epochs} épocas. De {rows} dígitos que não tinha visto ela erra {wrong}: uma acurácia de {accuracy}.",
          "As figuras mostram um dígito, os filtros da primeira convolução, e o que cada um deles achou no dígito. Depois o mesmo da segunda, cujos filtros leem todos os mapas da primeira.",
        ],
      },
      curves: {
        title: "Como ela aprendeu",
        text: ["A perda de treinamento caiu de {loss_first} para {loss_last}, e a dos dígitos não vistos para {validation_last}. Onde a segunda fica acima da primeira e sobe, a rede decora suas linhas."],
      },
    },
    picture: {
      digit: "O dígito",
      filters: "Filtros da primeira convolução",
      first: "O que eles acham",
      second: "O que a segunda convolução acha",
      table: "Camadas",
      layer: "Camada",
      shape: "Saída",
      parameters: "Parâmetros",
      curves: "Perda por época",
      epoch: "época",
      train: "treinamento",
      validation: "validação",
      job: "O treino",
    },
    exercise: {
      ask: ["A segunda convolução tem {filters} filtros de {kernel} × {kernel} pixels, e lê {maps} mapas. Quantos números ela aprende?"],
      hint: "Cada filtro lê todos os mapas, e tem um viés próprio.",
      fields: { parameters: "Parâmetros da segunda convolução" },
      right: "$(\\num{kernel} \\cdot \\num{kernel} \\cdot \\num{maps} + 1) \\cdot \\num{filters}$ é {told}.",
      wrong: { bias: "Faltam os vieses: um para cada filtro.", maps: "Estaria certo se um filtro lesse um só mapa. Ele lê todos os {maps}.", other: "Conte os pesos de um filtro sobre todos os mapas, some o viés dele, e tome isso {filters} vezes." },
    },
  },
  load: async (calls) => {
    const row = whole(calls.draw, 0, ROWS - 1);
    const dataset = await calls.dataset({ kind: "digits" });
    const request = { target: "digit", model: { kind: "network", layers: LENET }, optimizer: { kind: "adam", learning_rate: RATE }, epochs: EPOCHS, seed: calls.seed };
    const asked = { dataset_id: dataset, ...request } as unknown as Schema["JobRequest"];
    const [estimate, job] = await Promise.all([
      body<Schema["Estimate"]>(api.POST("/v1/jobs", { params: { query: { validate_only: true } }, body: asked, signal: calls.signal }) as never),
      calls.job(dataset, `LeNet-5 on digits, seed ${calls.seed}`, request),
    ]);
    const path = { job_id: job.id };
    const [curves, predictions] = await Promise.all([
      body<Schema["Curves"]>(api.GET("/v1/jobs/{job_id}/curves", { params: { path }, headers: JSON_ONLY, signal: calls.signal }) as never),
      body<Schema["SplitPredictions"]>(api.GET("/v1/jobs/{job_id}/predictions", { params: { path, query: { only: "wrong", limit: 1 } }, headers: JSON_ONLY, signal: calls.signal }) as never),
    ]);
    return { job, layers: estimate.layers, losses: lossesOf(curves), row, wrong: predictions.total, rows: predictions.rows };
  },
  numbers: ({ layers, losses, wrong, rows }) => {
    const [first, second] = [layerOf(layers, FIRST!), layerOf(layers, SECOND!)];
    return {
      height: number(first.input_shape[0]),
      width: number(first.input_shape[1]),
      kernel: number(kernelOf(first)),
      parameters: integer(layers.reduce((sum, layer) => sum + layer.parameters, 0)),
      first: integer(first.parameters),
      filters: number(second.output_shape[2]),
      maps: number(second.input_shape[2]),
      epochs: number(EPOCHS),
      rows: integer(rows),
      wrong: integer(wrong),
      accuracy: percent(1 - wrong / rows, 1),
      loss_first: number(losses.train[0], 3),
      loss_last: number(losses.train.at(-1), 3),
      validation_last: number(losses.validation.at(-1), 3),
    };
  },
  pictures: {
    layers: ({ data: { layers }, words }) => <Layers layers={layers} words={words} />,
    sees: ({ data: { job, row }, words }) => (
      <>
        <Sheet title={words.digit!} src={`/v1/jobs/${job.id}/feature_maps?row=${row}&layer=input&scale=16`} />
        <Sheet title={words.filters!} src={`/v1/jobs/${job.id}/filters?layer=${FIRST}&scale=16`} />
        <Sheet title={words.first!} src={`/v1/jobs/${job.id}/feature_maps?row=${row}&layer=${FIRST}&scale=8`} />
        <Sheet title={words.second!} src={`/v1/jobs/${job.id}/feature_maps?row=${row}&layer=${SECOND}&scale=12`} />
        <a href={`/jobs/${job.id}`}>{words.job}</a>
      </>
    ),
    curves: ({ data: { losses }, words }) => (
      <Figure title={words.curves!} rows={() => ({ columns: ["epoch", "train_loss", "validation_loss"], rows: losses.epochs.map((epoch, place) => [epoch, losses.train[place]!, losses.validation[place]!]) })}>
        <Line
          label={words.curves!}
          series={[
            { name: words.train!, x: losses.epochs, y: losses.train },
            { name: words.validation!, x: losses.epochs, y: losses.validation },
          ]}
          xLabel={words.epoch!}
          height={220}
        />
      </Figure>
    ),
  },
  exercise: {
    fields: () => [{ name: "parameters", start: 0, least: 0, most: 1e9 }],
    judge: ({ parameters }, { layers }) => {
      const second = layerOf(layers, SECOND!);
      const [filters, maps, kernel] = [second.output_shape[2]!, second.input_shape[2]!, kernelOf(second)];
      const why = parameters === kernel * kernel * maps * filters ? "bias" : parameters === (kernel * kernel + 1) * filters ? "maps" : "other";
      return { isRight: parameters === second.parameters, why, numbers: { told: integer(second.parameters) } };
    },
  },
});

const JSON_ONLY = { Accept: "application/json" };

type Layer = Data["layers"][number];

const layerOf = (layers: Data["layers"], name: string): Layer => layers.find((layer) => layer.name === name)!;

/** The side of a convolution's filters, by how many numbers it learns. */
const kernelOf = ({ parameters, input_shape, output_shape }: Layer): number => Math.round(Math.sqrt((parameters / output_shape[2]! - 1) / input_shape[2]!));

function lossesOf(curves: Schema["Curves"]): Data["losses"] {
  const [train, validation] = [curves.series.train_loss!, curves.series.validation_loss!];
  return { epochs: train.step, train: train.value.map(toNumber), validation: validation.value.map(toNumber) };
}

function Sheet({ title, src }: { title: string; src: string }) {
  return (
    <figure class="figure">
      <h3>{title}</h3>
      <img class="sheet" src={src} alt={title} />
    </figure>
  );
}

function Layers({ layers, words }: { layers: Data["layers"]; words: Record<string, string> }) {
  return (
    <div class="table-frame" role="region" aria-label={words.table} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>{words.layer}</th>
            <th>{words.shape}</th>
            <th class="number">{words.parameters}</th>
          </tr>
        </thead>
        <tbody>
          {layers.map(({ name, output_shape, parameters }) => (
            <tr key={name}>
              <th>
                <code>{name}</code>
              </th>
              <td>{output_shape.join(" × ")}</td>
              <td class="number">{name === SECOND ? "?" : integer(parameters)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
