/** A job's network with the weights it had after an epoch; coefficients of models without hidden layers. */
import { api, body, type Schema } from "~/api/client";
import { completed, layerKinds } from "~/api/completed";
import { UnitMap } from "~/charts/Boundary";
import { Network, type Part } from "~/charts/Network";
import { EpochSlider, chosenEpoch } from "~/elements/EpochSlider";
import { Figure } from "~/elements/Figure";
import { Loaded } from "~/elements/Notice";
import { NumberTable } from "~/elements/NumberTable";
import { Empty, Section } from "~/elements/Page";
import { useQuery } from "~/state/address";
import { useKept, useResource, type Resource } from "~/state/resource";
import { integer, number, toNumber } from "~/text/format";
import { panelsText } from "~/text/panels";
import { useEpochs } from "./epochs";
import { shapeOf } from "./maps";
import "./panels.css";

type Weights = Schema["Weights"];
type Matrix = number[][];

/** More cells than this are shown as a picture alone, not as a table. */
const TABLE_CELLS = 400;
/** Pictures of the first layer's units, at most. */
const MAPS = 48;

export function NetworkPanel({ job }: { job: Schema["JobResource"] }) {
  const text = panelsText();
  const request = completed(job);
  const epochs = useEpochs(job);
  const [at, goTo] = useQuery("epoch", "last");
  const epoch = epochs.value && chosenEpoch(epochs.value, at);
  const asked = useResource(epoch === undefined ? null : `weights:${job.id}:${epoch}`, (signal) =>
    body(api.GET("/v1/jobs/{job_id}/weights", { params: { path: { job_id: job.id }, query: { epoch: String(epoch) } }, signal, parseAs: "json" })),
  ) as Resource<Weights>;
  const weights = useKept(asked, (value) => value.job_id === job.id);
  const isAlone = request.features.length === 1; // it may hold images, whose weights are pictures
  const dataset = useResource(isAlone ? `dataset:${request.dataset_id}` : null, (signal) => body(api.GET("/v1/datasets/{dataset_id}", { params: { path: { dataset_id: request.dataset_id } }, signal })));
  const only = dataset.value?.columns.find((column) => column.name === request.features[0]);
  const isDense = layerKinds(request.model).every((kind) => kind === "dense");
  const files = `/v1/jobs/${job.id}/weights?epoch=${epoch}&format=`;
  return (
    <>
      <div class="panel-bar">
        {epochs.value && <EpochSlider epochs={epochs.value} value={at} onChange={goTo} />}
        {epoch !== undefined && (
          <span class="row small">
            {text.download}: {["json", "npz", "safetensors"].map((format) => <a key={format} href={files + format} download>{format}</a>)}
          </span>
        )}
        {epoch !== undefined && isDense && <a class="button small" href={`/glass/network?job=${job.id}&epoch=${epoch}`}>{text.stepThrough}</a>}
      </div>
      {epochs.value?.length === 0 && <Empty title={text.notYet} />}
      <Loaded resource={weights}>{(value) => <Shown weights={value} hidden={request.model.hidden} isDense={isDense} shape={only?.shape ?? null} />}</Loaded>
    </>
  );
}

const matrixOf = (layer: Schema["LayerWeights"]): Matrix => (layer.weights ?? []).map((row) => row.map(toNumber));
const nameOf = (activation: string | { kind: string }) => (typeof activation === "string" ? activation : activation.kind);

interface ShownProps {
  weights: Weights;
  hidden?: { activation: string | { kind: string } }[];
  /** Whether the network is dense layers alone, which can be drawn unit by unit. */
  isDense: boolean;
  shape: number[] | null;
}

function Shown({ weights, hidden = [], isDense, shape }: ShownProps) {
  const text = panelsText();
  const { layers } = weights;
  const matrices = layers.map(matrixOf);
  const first = matrices[0] ?? [];
  const inputs = layers[0]?.inputs ?? first.length;
  const outputs = layers[layers.length - 1]?.outputs;
  const drawn = layers.map((layer, index) => ({
    units: layer.bias?.length ?? matrices[index]?.[0]?.length ?? 0,
    activation: hidden[index] && nameOf((hidden[index] as { activation: string | { kind: string } }).activation),
    weights: matrices[index],
    bias: layer.bias?.map(toNumber) ?? null,
  }));
  const nameUnit = (layer: number, unit: number) => (layer === 0 ? (Array.isArray(inputs) ? (inputs[unit] ?? "") : "") : layer === layers.length ? (outputs?.[unit] ?? "") : "");
  const called = (layer: number, unit: number) => nameUnit(layer, unit) || [layer > 0 && layers[layer - 1]?.name, text.unit(unit + 1)].filter(Boolean).join(", ");
  const describe = (part: Part) => {
    const to = called(part.layer, part.unit);
    if (part.kind === "unit") return to;
    if (part.kind === "bias") return `${text.bias}, ${to}: ${number(drawn[part.layer - 1]?.bias?.[part.unit])}`;
    return `${called(part.layer - 1, part.input)} → ${to}: ${number(drawn[part.layer - 1]?.weights?.[part.input]?.[part.unit])}`;
  };
  return (
    <>
      {weights.coefficients && <CoefficientsTable coefficients={weights.coefficients} />}
      {!isDense && <Arrays layers={layers} />}
      {layers.length > 0 && isDense && (
        <Figure title={text.network}>
          <Network label={text.network} inputs={inputs} layers={drawn} unitName={nameUnit} describe={describe} onPoint={() => {}} />
        </Figure>
      )}
      {shape && isPicture(shape) && shape.reduce((a, b) => a * b, 1) === first.length && <Pictures name={layers[0]?.name ?? ""} matrix={first} shape={shape} />}
      {layers.map((layer, index) => !layer.arrays && <Layer key={layer.name} layer={layer} matrix={matrices[index] as Matrix} />)}
    </>
  );
}

/** What each layer holds, array by array, and of which shape. */
function Arrays({ layers }: { layers: Schema["LayerWeights"][] }) {
  const text = panelsText();
  const arrays = layers.flatMap((layer) =>
    Object.entries(layer.arrays ?? { weights: layer.weights, ...(layer.bias ? { bias: layer.bias } : {}) }).map(([name, values]) => ({ layer, name, shape: shapeOf(values) })),
  );
  return (
    <Section title={text.arrays}>
      <div class="table-frame">
        <table>
          <thead>
            <tr>
              <th scope="col">{text.layer}</th>
              <th scope="col">{text.array}</th>
              <th scope="col" class="number">{text.shape}</th>
            </tr>
          </thead>
          <tbody>
            {arrays.map(({ layer, name, shape }) => (
              <tr key={`${layer.name} ${name}`}>
                <th scope="row">{layer.name}</th>
                <td>{name.replaceAll("_", " ")}</td>
                <td class="number">{shape.map((size) => integer(size)).join(" × ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

const isPicture = (shape: number[]) => shape.length === 2 || shape.length === 3;

/** What each unit of the first layer looks for in an image: its weights where their pixels stand, over the channels' mean. */
function Pictures({ name, matrix, shape }: { name: string; matrix: Matrix; shape: number[] }) {
  const text = panelsText();
  const [height = 1, width = 1, channels = 1] = shape;
  const units = Math.min(MAPS, matrix[0]?.length ?? 0);
  const gridOf = (unit: number) =>
    Array.from({ length: height }, (_, row) =>
      Array.from({ length: width }, (_, column) => {
        let sum = 0;
        for (let channel = 0; channel < channels; channel++) sum += matrix[(row * width + column) * channels + channel]?.[unit] ?? 0;
        return sum / channels;
      }),
    ).reverse();
  return (
    <Section title={text.weightsOf(name)}>
      <div class="unit-maps">
        {Array.from({ length: units }, (_, unit) => (
          <figure key={unit}>
            <UnitMap label={`${name}, ${text.unit(unit + 1)}`} grid={gridOf(unit)} />
            <figcaption>{unit + 1}</figcaption>
          </figure>
        ))}
      </div>
    </Section>
  );
}

function Layer({ layer, matrix }: { layer: Schema["LayerWeights"]; matrix: Matrix }) {
  const text = panelsText();
  const across = layer.outputs ?? matrix[0]?.map((_, unit) => String(unit + 1)) ?? [];
  const down = layer.inputs ?? matrix.map((_, input) => String(input + 1));
  const rows = () => ({
    columns: [text.feature, ...across],
    rows: [...matrix.map((row, index) => [down[index] as string, ...row]), ...(layer.bias ? [[text.bias, ...layer.bias.map(toNumber)]] : [])],
  });
  const isSmall = matrix.length * across.length <= TABLE_CELLS;
  return (
    <details class="section" open={isSmall && matrix.length <= 12}>
      <summary>
        <h2 class="inline">{text.weightsOf(layer.name)}</h2>{" "}
        <span class="muted">
          {matrix.length} × {across.length}
        </span>
      </summary>
      <Figure title={text.weightsOf(layer.name)} caption={text.heatCaption} rows={rows}>
        {isSmall ? <Table down={down} across={across} matrix={matrix} bias={layer.bias?.map(toNumber) ?? null} /> : <div class="weights-map"><UnitMap label={text.weightsOf(layer.name)} grid={[...matrix].reverse()} /></div>}
      </Figure>
    </details>
  );
}

function Table({ down, across, matrix, bias }: { down: string[]; across: string[]; matrix: Matrix; bias: number[] | null }) {
  const text = panelsText();
  const rows = bias ? [...matrix, bias] : matrix;
  const names = bias ? [...down, text.bias] : down;
  return <NumberTable label={text.heatCaption} corner={text.feature} across={across} down={names} cell={(row, column) => number(rows[row]?.[column])} />;
}

function CoefficientsTable({ coefficients }: { coefficients: Schema["Coefficients"] }) {
  const text = panelsText();
  return (
    <Section title={text.coefficients}>
      <Table down={coefficients.features} across={coefficients.outputs} matrix={coefficients.weights.map((row) => row.map(toNumber))} bias={coefficients.bias?.map(toNumber) ?? null} />
    </Section>
  );
}
