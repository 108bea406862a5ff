/** A drawing as the picture that a model takes: scaled down, placed and in units as the pictures it learned from. */
import type { Schema } from "~/api/client";

type Input = Schema["InputColumn"];
type Column = Schema["ColumnResource"];

/** What a model takes for a picture. */
export interface Picture {
  rows: number;
  columns: number;
  /** Numbers of a pixel: 1, or 3 for colours; null where a pixel is no array. */
  channels: number | null;
  /** The column that holds the picture; or null, where each pixel is a column. */
  column: string | null;
  /** The names of the pixels' columns, by row; "" where the model takes none. */
  names: string[][];
}

const PIXEL = /^(.*?)(\d+)[_x,-](\d+)$/;
const FEWEST = 16;
const LARGEST = 128;

/** The picture among a model's inputs: an image, or columns named by row and column, as pixel_0_7. Null where there is none. */
export function pictureOf(inputs: Input[]): Picture | null {
  const images = inputs.filter((input) => input.kind === "image");
  if (images.length === 1) {
    const [image] = images;
    const [rows = 0, columns = 0, channels] = image?.shape ?? [];
    return rows > 1 && columns > 1 && Math.max(rows, columns) <= LARGEST ? { rows, columns, channels: channels ?? null, column: image?.name ?? null, names: [] } : null;
  }
  const found = inputs.map((input) => PIXEL.exec(input.name));
  if (images.length > 0 || inputs.length < FEWEST || found.some((match) => match === null || match[1] !== found[0]?.[1])) return null;
  const [rows, columns] = [2, 3].map((part) => 1 + Math.max(...found.map((match) => Number(match?.[part])))) as [number, number];
  if (Math.max(rows, columns) > LARGEST || inputs.length < (rows * columns) / 2) return null;
  const names = Array.from({ length: rows }, () => Array<string>(columns).fill(""));
  for (const match of found) (names[Number(match?.[2])] as string[])[Number(match?.[3])] = match?.[0] ?? "";
  return { rows, columns, channels: null, column: null, names };
}

/** What no ink and full ink are in the data's units. */
export interface Units {
  paper: number;
  ink: number;
}

/** The units of the pictures that a model learned from; 0 to 255 where they are not known any more. */
export function unitsOf(picture: Picture, columns: Column[] | undefined): Units {
  const wanted = picture.column === null ? new Set(picture.names.flat()) : new Set([picture.column]);
  const known = (columns ?? []).filter((column) => wanted.has(column.name) && column.max !== null);
  if (known.length === 0) return { paper: 0, ink: 255 };
  const low = Math.min(...known.map((column) => Number(column.min)));
  const high = Math.max(...known.map((column) => Number(column.max)));
  const mean = known.reduce((sum, column) => sum + Number(column.mean), 0) / known.length;
  return mean <= (low + high) / 2 ? { paper: low, ink: high } : { paper: high, ink: low }; // there is more paper than ink
}

/** Ink from 0 to 1, by row. */
export interface Ink {
  width: number;
  height: number;
  data: Float32Array;
}

/** Whether a picture is large enough for a margin around what is drawn. */
export const isLarge = (rows: number, columns: number): boolean => Math.min(rows, columns) >= 20;

/** The drawing in so many rows and columns, from 0 to 1. A small picture is filled; a larger one has a margin, and its ink lies
 * around the middle by weight, as in MNIST. Null where nothing is drawn. */
export function scaledDown(ink: Ink, rows: number, columns: number): number[][] | null {
  const box = boxOf(ink);
  if (!box) return null;
  const hasMargin = isLarge(rows, columns);
  const fit = hasMargin ? 20 / 28 : 1;
  const scale = Math.max((box.right - box.left) / (columns * fit), (box.bottom - box.top) / (rows * fit)); // of the drawing, in one cell
  const middle = hasMargin ? weightedMiddle(ink) : { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 };
  const left = middle.x - (columns * scale) / 2;
  const top = middle.y - (rows * scale) / 2;
  const cells = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => mean(ink, left + column * scale, top + row * scale, scale)),
  );
  const most = Math.max(...cells.flat()) || 1; // the darkest cell is full ink, as in what models learn from
  return cells.map((line) => line.map((cell) => cell / most));
}

function boxOf({ width, height, data }: Ink): { left: number; right: number; top: number; bottom: number } | null {
  const box = { left: width, right: 0, top: height, bottom: 0 };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((data[y * width + x] as number) < 0.1) continue;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y + 1);
    }
  }
  return box.right > box.left ? box : null;
}

function weightedMiddle({ width, height, data }: Ink): { x: number; y: number } {
  let [sum, x, y] = [0, 0, 0];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const weight = data[row * width + column] as number;
      sum += weight;
      x += weight * (column + 0.5);
      y += weight * (row + 0.5);
    }
  }
  return { x: x / sum, y: y / sum };
}

/** The mean ink of a square; there is none outside of the drawing. */
function mean({ width, height, data }: Ink, left: number, top: number, side: number): number {
  let [sum, count] = [0, 0];
  const step = Math.max(1, side / 16);
  for (let y = top + step / 2; y < top + side; y += step) {
    for (let x = left + step / 2; x < left + side; x += step) {
      const [column, row] = [Math.floor(x), Math.floor(y)];
      if (column >= 0 && column < width && row >= 0 && row < height) sum += data[row * width + column] as number;
      count += 1;
    }
  }
  return count ? sum / count : 0;
}

/** The record that a model predicts for a picture from 0 to 1, in the data's units. */
export function recordOf(picture: Picture, cells: number[][], { paper, ink }: Units, isWhole: boolean): Record<string, unknown> {
  const value = (cell: number) => {
    const exact = paper + cell * (ink - paper);
    return isWhole ? Math.round(exact) : exact;
  };
  if (picture.column !== null) {
    const pixel = (cell: number) => (picture.channels === null ? value(cell) : Array<number>(picture.channels).fill(value(cell)));
    return { [picture.column]: cells.map((line) => line.map(pixel)) };
  }
  return Object.fromEntries(picture.names.flatMap((line, row) => line.flatMap((name, column) => (name ? [[name, value(cells[row]?.[column] ?? 0)]] : []))));
}

/** The picture from 0 to 1 that a row of the data holds. */
export function cellsOfRecord(picture: Picture, record: Record<string, unknown>, { paper, ink }: Units): number[][] {
  const share = (value: unknown) => (Number(Array.isArray(value) ? (value[0] as number) : value) - paper) / (ink - paper || 1);
  if (picture.column !== null) return ((record[picture.column] as unknown[][]) ?? []).map((line) => line.map(share));
  return picture.names.map((line) => line.map((name) => (name ? share(record[name]) : 0)));
}
