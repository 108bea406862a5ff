/** The parts of a drawn network and where they stand. Layer 0 is the input; a weight or a bias belongs to the layer it leads into. */
export type Part =
  | { kind: "unit"; layer: number; unit: number }
  | { kind: "bias"; layer: number; unit: number }
  | { kind: "weight"; layer: number; input: number; unit: number };

export interface DrawnLayer {
  units: number;
  /** Its name, as "relu"; stands over the layer. */
  activation?: string;
  /** What its lines show: a row for each input, a column for each unit; missing where it is not known. */
  weights?: number[][];
  bias?: number[] | null;
}

/** A part as one word, such as "weight.1.0.2". */
export function keyOf(part: Part): string {
  return part.kind === "weight" ? `weight.${part.layer}.${part.input}.${part.unit}` : `${part.kind}.${part.layer}.${part.unit}`;
}

export function partOf(key: string): Part | null {
  const [kind, ...places] = key.split(".");
  const [layer, first, second] = places.map(Number);
  if (![layer, first].every((place) => Number.isInteger(place) && (place as number) >= 0)) return null;
  if (kind === "unit" || kind === "bias") return { kind, layer: layer as number, unit: first as number };
  if (kind === "weight" && Number.isInteger(second)) return { kind, layer: layer as number, input: first as number, unit: second as number };
  return null;
}

/** The units of a layer that are drawn: all, or the first and the last of many. */
export function drawnUnits(units: number, most: number): { units: number[]; gap: number | null } {
  if (units <= most) return { units: Array.from({ length: units }, (_, unit) => unit), gap: null };
  const first = Math.ceil((most - 1) / 2);
  const last = most - 1 - first;
  return {
    units: [...Array.from({ length: first }, (_, unit) => unit), ...Array.from({ length: last }, (_, unit) => units - last + unit)],
    gap: first,
  };
}

export interface Placed {
  unit: number;
  x: number;
  y: number;
}

export interface Column {
  placed: Placed[];
  /** Where the sign for the units that are not drawn stands, and how many those are. */
  gap: { x: number; y: number; count: number } | null;
}

/** Columns of units, each column centred. */
export function place(sizes: number[], most: number, width: number, spacing: number, margin: number, top: number): { columns: Column[]; height: number } {
  const rows = sizes.map((units) => Math.min(units, most));
  const height = top + Math.max(...rows) * spacing;
  const columns = sizes.map((units, layer) => {
    const x = sizes.length === 1 ? width / 2 : margin + (layer * (width - 2 * margin)) / (sizes.length - 1);
    const drawn = drawnUnits(units, most);
    const slots = drawn.units.length + (drawn.gap === null ? 0 : 1);
    const y = (slot: number) => top + (height - top) / 2 + (slot - (slots - 1) / 2) * spacing;
    const placed = drawn.units.map((unit, index) => ({ unit, x, y: y(drawn.gap !== null && index >= drawn.gap ? index + 1 : index) }));
    return { placed, gap: drawn.gap === null ? null : { x, y: y(drawn.gap), count: units - drawn.units.length } };
  });
  return { columns, height };
}
