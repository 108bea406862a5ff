/** Chooses one parameter of a network: its layer and array, and its place there. */
import { NumberField, SelectField } from "~/elements/Field";
import { slicesText } from "~/text/slices";
import type { Parameters, Place } from "./slices";

interface Props {
  label: string;
  parameters: Parameters[];
  value: Place;
  onChange: (place: Place) => void;
}

export function ParameterField({ label, parameters, value, onChange }: Props) {
  const text = slicesText();
  const called = ({ layer, name }: { layer: string; name: string }) => `${layer}: ${name}`;
  const shape = parameters.find((each) => called(each) === called(value))?.shape ?? [];
  const chosen = (name: string) => {
    const next = parameters.find((each) => called(each) === name)!;
    onChange({ layer: next.layer, name: next.name, index: next.shape.map(() => 0) });
  };
  const moved = (axis: number, at: number | null) => {
    if (at !== null && Number.isInteger(at) && at >= 0 && at < shape[axis]!) onChange({ ...value, index: value.index.map((old, place) => (place === axis ? at : old)) });
  };
  return (
    <fieldset>
      <legend>{label}</legend>
      <div class="fields narrow">
        <SelectField label={text.array} value={called(value)} onChange={chosen} options={parameters.map((each) => ({ value: called(each), label: called(each) }))} />
        {shape.map((size, axis) => (
          <NumberField key={axis} label={text.axes[axis] ?? ""} help={`0 … ${size - 1}`} value={value.index[axis] ?? 0} min={0} max={size - 1} step={1} onChange={(at) => moved(axis, at)} />
        ))}
      </div>
    </fieldset>
  );
}
