/** Activations, or losses, side by side with their derivatives. */
import { api, body, type Schema } from "~/api/client";
import { Line } from "~/charts/Line";
import { Check, Choice, NumberField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Loaded, Notice } from "~/elements/Notice";
import { NumberCell } from "~/elements/NumberCell";
import { Section } from "~/elements/Page";
import { numbersOf, titleOf, useCatalog, type Catalog, type Entry } from "~/forms/catalog";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { useMoving, useSettled } from "~/state/settled";
import { glassText } from "~/text/glass";
import { functionsText } from "~/text/glass-functions";
import { toNumber } from "~/text/format";

type Family = "activation" | "loss";
const FAMILIES = { activation: "activations", loss: "losses" } as const;
const USUAL: Record<Family, string> = { activation: "sigmoid,tanh,relu", loss: "mae,half_mse,huber" };
const POINTS = 401;

export default function FunctionsPage() {
  const text = functionsText();
  const catalog = useCatalog();
  const [family, setFamily] = useQuery("family", "activation");
  const shown: Family = family === "loss" ? "loss" : "activation";
  const [names, setNames] = useQuery("show", USUAL[shown]);
  const [from, setFrom] = useMoving("from", "-5");
  const [to, setTo] = useMoving("to", "5");
  const [target, setTarget] = useMoving("target");
  const [own, setOwn] = useMoving("with", "{}");
  const chosen = names.split(",").filter(Boolean);
  const numbers = ownOf(own);
  const range = [Number(from), Number(to)] as const;
  const isRange = range[0] < range[1];
  const asked = useSettled(JSON.stringify({ family: shown, chosen, range, target, numbers }), 150);
  const curves = useResource(isRange && chosen.length > 0 ? `curves ${asked}` : null, (signal) => ask(JSON.parse(asked) as Asked, signal));
  const toFamily = (next: Family) => {
    setNames(USUAL[next]); // of the new family, left out of the address
    setFamily(next, true);
  };
  return (
    <>
      <p class="lead after-tabs">{text.lead}</p>
      <Loaded resource={catalog}>
        {(entries) => {
          const offered = offeredOf(entries, shown);
          const toggle = (kind: string, isOn: boolean) => setNames(offered.map((entry) => entry.kind).filter((one) => (one === kind ? isOn : chosen.includes(one))).join(",") || "none");
          return (
            <>
              <Choice label={text.family} value={shown} onChange={toFamily} options={[{ value: "activation", label: text.families.activation }, { value: "loss", label: text.families.loss }]} />
              <fieldset class="row checks">
                <legend>{text.chosen}</legend>
                {offered.map(({ kind, title }) => (
                  <Check key={kind} label={title} checked={chosen.includes(kind)} onChange={(isOn) => toggle(kind, isOn)} />
                ))}
              </fieldset>
              <div class="fields narrow">
                <NumberField label={text.from} value={range[0]} onChange={(value) => value !== null && setFrom(String(value))} error={isRange ? undefined : text.wrongRange} />
                <NumberField label={text.to} value={range[1]} onChange={(value) => value !== null && setTo(String(value))} />
                {shown === "loss" && <NumberField label={text.target} help={text.targetHelp} value={target === "" ? null : Number(target)} onChange={(value) => setTarget(value === null ? "" : String(value))} />}
              </div>
              {!chosen.some((kind) => offered.some((entry) => entry.kind === kind)) && <Notice kind="warning">{text.none}</Notice>}
              <Loaded resource={curves}>{(found) => <Curves found={found} family={shown} titleOfKind={(kind) => titleOf(entries, FAMILIES[shown], kind)} />}</Loaded>
              <Section title={text.formulas}>
                <div class="columns">
                  {offered.filter(({ kind }) => chosen.includes(kind)).map((entry) => (
                    <FunctionCard key={entry.kind} entry={entry} numbers={numbers[entry.kind] ?? {}} onChange={(next) => setOwn(JSON.stringify({ ...numbers, [entry.kind]: next }))} />
                  ))}
                </div>
                {(shown === "loss" || chosen.includes("softmax")) && <p class="muted">{text.ofTwo}</p>}
              </Section>
            </>
          );
        }}
      </Loaded>
    </>
  );
}

interface Asked {
  family: Family;
  chosen: string[];
  range: [number, number];
  target: string;
  numbers: Record<string, Record<string, number>>;
}

const offeredOf = (catalog: Catalog, family: Family): Entry[] => catalog[FAMILIES[family]] ?? [];

/** Every chosen curve; a name that is of the other family is left out. */
async function ask({ family, chosen, range, target, numbers }: Asked, signal: AbortSignal): Promise<Schema["FunctionCurve"][]> {
  const query = { from: range[0], to: range[1], points: POINTS, ...(family === "loss" && target !== "" ? { target: Number(target) } : {}) };
  const calls = chosen.filter((name) => name !== "none").map((name) => body(api.GET("/v1/functions/{family}/{name}", { params: { path: { family, name }, query: { ...query, ...numbers[name] } }, signal })));
  return Promise.all(calls);
}

function ownOf(address: string): Asked["numbers"] {
  try {
    const found: unknown = JSON.parse(address);
    return typeof found === "object" && found !== null ? (found as Asked["numbers"]) : {};
  } catch {
    return {};
  }
}

function Curves({ found, family, titleOfKind }: { found: Schema["FunctionCurve"][]; family: Family; titleOfKind: (kind: string) => string }) {
  const text = functionsText();
  const seriesOf = (of: "value" | "slope") => found.map((curve, look) => ({ name: titleOfKind(curve.kind), x: curve.z, y: curve[of].map(toNumber), look }));
  const rows = () => ({
    columns: ["function", "z", "value", "slope"],
    rows: found.flatMap((curve) => curve.z.map((z, place) => [curve.kind, z, toNumber(curve.value[place]), toNumber(curve.slope[place])])),
  });
  const [value, slope] = family === "activation" ? [text.value, text.slope] : [text.lossValue, text.lossSlope];
  return (
    <div class="bench even">
      <Figure title={`${text.values} ${value}`} rows={rows}>
        <Line label={text.values} series={seriesOf("value")} xLabel="z" height={320} syncKey="functions" />
      </Figure>
      <Figure title={`${text.slopes} ${slope}`} rows={rows}>
        <Line label={text.slopes} series={seriesOf("slope")} xLabel="z" height={320} syncKey="functions" />
      </Figure>
    </div>
  );
}

function FunctionCard({ entry, numbers, onChange }: { entry: Entry; numbers: Record<string, number>; onChange: (numbers: Record<string, number>) => void }) {
  const words = glassText();
  return (
    <div class="card">
      <h3>{entry.title}</h3>
      <p>{entry.summary}</p>
      <Formula latex={entry.formula} isBlock />
      {entry.derivative && (
        <>
          <p class="muted small">{words.derivative}</p>
          <Formula latex={entry.derivative} isBlock />
        </>
      )}
      {numbersOf(entry).map(({ name, description, usual }) => (
        <label class="kind-number" key={name}>
          <span class="muted small">{description}</span>
          <NumberCell label={description} value={numbers[name] ?? usual ?? 0} onChange={(value) => onChange({ ...numbers, [name]: value })} />
        </label>
      ))}
      {entry.source && (
        <p class="muted small">
          {words.source}: {entry.source}
        </p>
      )}
    </div>
  );
}
