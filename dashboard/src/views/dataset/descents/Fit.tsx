/** The rows, and what the model says of them at one step of each descent. */
import { useMemo } from "preact/hooks";
import type { Answer } from "~/charts/descents";
import { extent, Scatter } from "~/charts/Scatter";
import { Figure } from "~/elements/Figure";
import { useResource } from "~/state/resource";
import { descentsText } from "~/text/descents";
import { toNumber } from "~/text/format";
import type { Dataset } from "../index";
import { rowsOf } from "../rows";

interface Props {
  dataset: Dataset;
  answer: Answer;
  names: string[];
  /** Which point of each path is shown. */
  points: number[];
}

const MOST_POINTS = 500;
const SAMPLES = 80;
const GREY = 7;

export function Fit({ dataset, answer, names, points }: Props) {
  const text = descentsText();
  const { feature, target, classes } = answer;
  const every = Math.max(1, Math.ceil(dataset.rows / MOST_POINTS));
  const rows = useResource(`fit ${dataset.id} ${feature} ${target}`, (signal) => rowsOf(dataset.id, { columns: [feature, target], every, limit: MOST_POINTS }, signal));
  const words = dataset.columns.find(({ name }) => name === target)?.words;
  const [x, y] = useMemo(() => {
    const told = (cell: unknown) => String(typeof cell === "boolean" && words ? words[cell ? 1 : 0] : cell);
    const placed = (cell: unknown) => (classes ? classes.findIndex((name) => told(name) === told(cell)) : Number(cell));
    const at = [feature, target].map((name) => rows.value?.columns.indexOf(name) ?? -1);
    const found = (rows.value?.rows ?? []).filter((row) => at.every((place) => row[place] !== null));
    return [found.map((row) => Number(row[at[0]!])), found.map((row) => placed(row[at[1]!]))];
  }, [rows.value, classes, feature, target, words]);
  const curves = useMemo(() => {
    const [low, high] = extent([x]);
    return answer.paths.map((path, place) => {
      const [w, b] = (path.coefficients[points[place]!] ?? []).map(toNumber) as [number, number];
      const said = (at: number) => (classes ? 1 / (1 + Math.exp(-(w * at + b))) : w * at + b);
      return { name: names[place] ?? "", look: place, points: Array.from({ length: SAMPLES + 1 }, (_, k) => low + ((high - low) * k) / SAMPLES).map((at): [number, number] => [at, said(at)]) };
    });
  }, [answer, points.join(), x, classes, names.join()]);
  const title = text.fit(target, feature);
  return (
    <Figure
      title={title}
      caption={text.fitCaption}
      rows={() => ({ columns: ["descent", feature, target], rows: curves.flatMap(({ name, points: all }) => all.map(([at, said]) => [name, at, said])) })}
    >
      <Scatter label={title} groups={[{ name: target, x, y, look: GREY }]} curves={curves} xLabel={feature} yLabel={classes ? text.probability(String(classes[1])) : target} height={380} />
    </Figure>
  );
}
