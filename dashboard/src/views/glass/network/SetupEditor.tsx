/** Every number with which a given network begins. */
import { Check, NumberField, SelectField } from "~/elements/Field";
import { MatrixField } from "~/elements/NumberCell";
import { Section } from "~/elements/Page";
import type { Catalog } from "~/forms/catalog";
import { KindField } from "~/forms/KindField";
import { networkPageText } from "~/text/glass-network";
import { glassText } from "~/text/glass";
import { unitsOf, withLayers, withUnits, type GivenLayer, type Setup } from "./setup";

interface Props {
  setup: Setup;
  catalog: Catalog;
  onChange: (setup: Setup) => void;
}

const MOST_UNITS = 12;
const MOST_LAYERS = 5;
const MOST_STEPS = 50;
const within = (value: number | null, least: number, most: number): number | null => (value === null ? null : Math.min(most, Math.max(least, Math.round(value))));

export function SetupEditor({ setup, catalog, onChange }: Props) {
  const text = networkPageText();
  const words = glassText();
  const sizes = unitsOf(setup);
  const last = setup.layers.length;
  const changeLayer = (index: number, change: Partial<GivenLayer>) => onChange({ ...setup, layers: setup.layers.map((layer, at) => (at === index ? { ...layer, ...change } : layer)) });
  const cell = (name: string) => (row: number, column: number) => text.cell(name, String(row + 1), String(column + 1));
  const withRows = (rows: number) => {
    const grown = (matrix: number[][]) => Array.from({ length: rows }, (_, row) => matrix[Math.min(row, matrix.length - 1)]!);
    onChange({ ...setup, inputs: grown(setup.inputs), targets: grown(setup.targets) });
  };
  const units = (level: number, label: string) => (
    <NumberField label={label} value={sizes[level]!} min={1} max={MOST_UNITS} step={1} onChange={(value) => { const count = within(value, 1, MOST_UNITS); if (count !== null) onChange(withUnits(setup, level, count)); }} />
  );
  return (
    <Section title={text.setup} class="setup">
      <div class="columns">
        <div>
          <KindField label={words.optimizer} catalog={catalog} family="optimizers" value={setup.optimizer} onChange={(optimizer) => onChange({ ...setup, optimizer })} />
          <KindField label={words.loss} catalog={catalog} family="losses" value={setup.loss} onChange={(loss) => onChange({ ...setup, loss })} />
          <div class="fields narrow">
            <NumberField label={text.stepsToTake} value={setup.steps} min={1} max={MOST_STEPS} step={1} onChange={(value) => { const steps = within(value, 1, MOST_STEPS); if (steps !== null) onChange({ ...setup, steps }); }} />
            <NumberField label={text.hidden} value={last - 1} min={0} max={MOST_LAYERS} step={1} onChange={(value) => { const hidden = within(value, 0, MOST_LAYERS); if (hidden !== null) onChange(withLayers(setup, hidden)); }} />
          </div>
        </div>
        <div>
          <div class="fields narrow">
            <NumberField label={text.rows} value={setup.inputs.length} min={1} max={MOST_UNITS} step={1} onChange={(value) => { const rows = within(value, 1, MOST_UNITS); if (rows !== null) withRows(rows); }} />
            {units(0, text.inputUnits)}
          </div>
          <MatrixField label={text.inputs} values={setup.inputs} onChange={(inputs) => onChange({ ...setup, inputs })} cellLabel={cell(text.inputs)} />
          <MatrixField label={text.targets} values={setup.targets} onChange={(targets) => onChange({ ...setup, targets })} cellLabel={cell(text.targets)} />
        </div>
      </div>
      {setup.layers.map((layer, index) => {
        const name = String(index + 1);
        return (
          <div class="setup-layer columns" key={index}>
            <div>
              <div class="fields narrow">
                <SelectField
                  label={`${words.activation} (${text.layer(name)})`}
                  value={layer.activation.kind}
                  options={(catalog.activations ?? []).map(({ kind, title }) => ({ value: kind, label: title }))}
                  onChange={(kind) => changeLayer(index, { activation: { kind } })}
                />
                {units(index + 1, text.units)}
              </div>
              <Check label={text.withBias} checked={layer.bias !== null} onChange={(isOn) => changeLayer(index, { bias: isOn ? layer.weights[0]!.map(() => 0) : null })} />
            </div>
            <div>
              <MatrixField label={text.weightsOf(name)} values={layer.weights} onChange={(weights) => changeLayer(index, { weights })} cellLabel={cell(`W ${name}`)} />
              {layer.bias && <MatrixField label={text.biasOf(name)} values={[layer.bias]} onChange={([bias]) => changeLayer(index, { bias: bias! })} cellLabel={cell(`b ${name}`)} />}
            </div>
          </div>
        );
      })}
    </Section>
  );
}
