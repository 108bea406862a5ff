/** Deep networks before training, side by side: histograms layer by layer for each initializer. */
import { api, body, type Schema } from "~/api/client";
import { Line } from "~/charts/Line";
import { Choice, NumberField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Loaded } from "~/elements/Notice";
import { Section } from "~/elements/Page";
import { titleOf, useCatalog, type Catalog, type Kind } from "~/forms/catalog";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { useMoving, useSettled } from "~/state/settled";
import { initialisationsText } from "~/text/glass-initialisations";
import { integer, toNumber } from "~/text/format";
import { kindsOf } from "../landscapes/race";
import { Stack, type Of } from "./Stack";
import { Choices, type Stacked } from "./Choices";

const USUAL: Stacked[] = [
  { initializer: { kind: "normal", std: 0.01 }, activation: { kind: "tanh" } },
  { initializer: { kind: "standard_normal" }, activation: { kind: "tanh" } },
  { initializer: { kind: "xavier_normal" }, activation: { kind: "tanh" } },
];
const MOST_WIDTH = 512;
const MOST_DEPTH = 20;

const whole = (text: string, least: number, most: number, usual: number) => {
  const value = Math.trunc(Number(text));
  return text !== "" && Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : usual;
};

/** Pairs of an initializer and an activation that an address holds. */
function stacksOf(address: string): Stacked[] {
  const flat = kindsOf(address);
  if (!flat || flat.length % 2 !== 0) return USUAL;
  return flat.flatMap((kind, place): Stacked[] => (place % 2 === 0 ? [{ initializer: kind, activation: flat[place + 1] as Kind }] : []));
}

export default function InitialisationsPage() {
  const text = initialisationsText();
  const catalog = useCatalog();
  const [stacksText, setStacks] = useMoving("compare");
  const [widthText, setWidth] = useMoving("width", "100");
  const [depthText, setDepth] = useMoving("depth", "10");
  const [seedText, setSeed] = useMoving("seed", "0");
  const [ofText, setOf] = useQuery("of", "activations");
  const [axis, setAxis] = useQuery("axis", "same");
  const stacks = stacksOf(stacksText);
  const [width, depth, seed] = [whole(widthText, 1, MOST_WIDTH, 100), whole(depthText, 1, MOST_DEPTH, 10), whole(seedText, 0, 1e9, 0)];
  const of: Of = ofText === "gradients" || ofText === "weighted_sums" ? ofText : "activations";
  const asked = useSettled(JSON.stringify(stacks.map((stack) => ({ ...stack, width, depth, seed }))), 250);
  const found = useResource(`initializations ${asked}`, (signal) =>
    Promise.all((JSON.parse(asked) as Schema["Propagation"][]).map((request) => body(api.POST("/v1/initializations", { body: request, signal })))),
  );
  const change = (next: Stacked[]) => setStacks(JSON.stringify(next.flatMap(({ initializer, activation }) => [initializer, activation])));
  return (
    <>
      <p class="lead after-tabs">{text.lead}</p>
      <Loaded resource={catalog}>{(entries) => <Choices catalog={entries} stacks={stacks} onChange={change} />}</Loaded>
      <div class="fields narrow">
        <NumberField label={text.depth} value={depth} min={1} max={MOST_DEPTH} step={1} onChange={(value) => value !== null && setDepth(String(value))} />
        <NumberField label={text.width} value={width} min={1} max={MOST_WIDTH} step={1} onChange={(value) => value !== null && setWidth(String(value))} />
        <NumberField label={text.seed} value={seed} min={0} step={1} onChange={(value) => value !== null && setSeed(String(value))} />
      </div>
      <div class="row">
        <Choice label={text.of} value={of} onChange={setOf} options={(["activations", "gradients", "weighted_sums"] as const).map((value) => ({ value, label: text.quantities[value] }))} />
        <Choice label={text.axis} value={axis === "own" ? "own" : "same"} onChange={setAxis} options={(["same", "own"] as const).map((value) => ({ value, label: text.axes[value] }))} />
      </div>
      <Loaded resource={found}>
        {(stacked) => (
          <>
            <div class="stacks">
              {stacked.map((one, place) => (
                <Stack key={place} place={place} found={one} of={of} isShared={axis !== "own"} catalog={catalog.value} />
              ))}
            </div>
            <Sizes found={stacked} of={of} catalog={catalog.value} />
            <Section title={text.formula}>
              <p>{text.formulaSays}</p>
              <Formula latex={stacked[0]!.forward_formula} isBlock />
              <Formula latex={stacked[0]!.backward_formula} isBlock />
            </Section>
          </>
        )}
      </Loaded>
    </>
  );
}

/** The deviation layer by layer, measured and expected. */
function Sizes({ found, of, catalog }: { found: Schema["Initialization"][]; of: Of; catalog: Catalog | undefined }) {
  const text = initialisationsText();
  const series = found.map(({ initializer, layers }, look) => ({
    name: `${look + 1} ${titleOf(catalog, "initializers", initializer.kind)}`,
    x: layers.map((_, place) => place + 1),
    y: layers.map((layer) => toNumber(layer[of].std)),
    look,
  }));
  const rows = () => ({
    columns: ["initialization", "layer", "std"],
    rows: series.flatMap(({ name, x, y }) => x.map((layer, place) => [name, layer, y[place]!])),
  });
  return (
    <Figure title={`${text.size}: ${text.quantities[of]}`} rows={rows}>
      <Line label={text.size} series={series} xLabel={text.layer} scale="log" height={240} formatX={(value) => (Number.isInteger(value) ? integer(value) : "")} />
    </Figure>
  );
}
