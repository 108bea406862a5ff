/** Descents over the cost of two parameters: what they are called, and how far each is at the same time. */
import type { Schema } from "~/api/client";
import { number } from "~/text/format";
import { descentsText } from "~/text/descents";

export type Answer = Schema["DescentsResource"];
type Path = Schema["CostPath"];

/** A path's settings, which are completed: an optimizer is spelled out, and batches are counted. */
interface Settings {
  optimizer: { kind: string; learning_rate: number };
  batch_size: number | "full";
}

const settingsOf = (path: Path): Settings => path.settings as unknown as Settings;

/** Steps of one pass over the rows. */
export const stepsOfEpoch = (batch: Settings["batch_size"], rows: number): number => (typeof batch === "number" ? Math.ceil(rows / batch) : 1);

const rowsOf = (answer: Answer, place: number): number => answer.surfaces[answer.paths[place]!.surface]!.rows;

/** Steps in an epoch of each path. */
export const paces = (answer: Answer): number[] => answer.paths.map((path, place) => stepsOfEpoch(settingsOf(path).batch_size, rowsOf(answer, place)));

/** Steps of the path that takes most of them. */
export const longest = (answer: Answer): number => answer.epochs * Math.max(...paces(answer));

/** After `at` steps of the longest path, which point each path has come to: after as many passes over the rows, or its last one. */
export function pointsAt(answer: Answer, at: number): number[] {
  const pace = paces(answer);
  const most = Math.max(...pace);
  return answer.paths.map(({ points }, place) => Math.min(points.length - 1, Math.floor((at * pace[place]!) / most)));
}

/** What each descent is called: by what tells it from the others, or else by its batches. `titleOf` names a kind of a family. */
export function descentNames({ paths, surfaces }: Answer, titleOf: (family: string, kind: string) => string): string[] {
  const text = descentsText();
  const batch = ({ batch_size }: Settings) => (typeof batch_size !== "number" ? text.batches.full : batch_size === 1 ? text.batches.one : text.batches.of(number(batch_size)));
  const parts = [
    (path: Path) => titleOf("optimizers", settingsOf(path).optimizer.kind),
    (path: Path) => `η ${number(settingsOf(path).optimizer.learning_rate)}`,
    (path: Path) => batch(settingsOf(path)),
    ({ surface }: Path) => titleOf("scalers", surfaces[surface]!.scaling.kind),
  ];
  const telling = parts.filter((part) => new Set(paths.map(part)).size > 1);
  const names = paths.map((path) => (telling.length > 0 ? telling.map((part) => part(path)).join(", ") : batch(settingsOf(path))));
  return names.map((name, place) => (names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} (${names.slice(0, place + 1).filter((other) => other === name).length})`));
}
