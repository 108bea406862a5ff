/** Points of two columns, coloured by a third. */
import { useMemo } from "preact/hooks";
import { Scatter } from "~/charts/Scatter";
import { SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Loaded } from "~/elements/Notice";
import { Empty } from "~/elements/Page";
import { useQuery } from "~/state/address";
import { useResource } from "~/state/resource";
import { datasetText } from "~/text/dataset";
import { integer, number } from "~/text/format";
import { type Dataset, isNumeric, type TabProps } from "./index";
import { rowsOf } from "./rows";
import { grouped } from "./scatter";

const MOST_POINTS = 5_000;

export function ScatterTab({ dataset }: TabProps) {
  const text = datasetText();
  const numeric = dataset.columns.filter((column) => isNumeric(column) && column.role !== "index").map((column) => column.name);
  const colours = dataset.columns.filter((column) => !column.shape && column.kind !== "text" && column.role !== "index").map((column) => column.name);
  const usual = dataset.columns.find((column) => column.kind === "categorical")?.name ?? "";
  const [x, setX] = useQuery("x", numeric[0] ?? "");
  const [y, setY] = useQuery("y", numeric[1] ?? "");
  const [by, setBy] = useQuery("by", usual);
  if (numeric.length < 2) return <Empty title={text.noNumbersTitle}>{text.noNumbers}</Empty>;
  const options = (names: string[]) => names.map((name) => ({ value: name, label: name }));
  return (
    <>
      <div class="fields">
        <SelectField label={text.x} value={x} onChange={setX} options={options(numeric)} />
        <SelectField label={text.y} value={y} onChange={setY} options={options(numeric)} />
        <SelectField label={text.by} value={by} onChange={setBy} options={[{ value: "none", label: text.nothing }, ...options(colours)]} />
      </div>
      {numeric.includes(x) && numeric.includes(y) && <Points dataset={dataset} x={x} y={y} by={colours.includes(by) ? by : null} />}
    </>
  );
}

function Points({ dataset, x, y, by }: { dataset: Dataset; x: string; y: string; by: string | null }) {
  const text = datasetText();
  const every = Math.max(1, Math.ceil(dataset.rows / MOST_POINTS));
  const asked = [...new Set(by ? [x, y, by] : [x, y])];
  const kinds = dataset.columns.map((column) => column.kind).join();
  const found = useResource(`points ${dataset.id} ${kinds} ${asked.join("\n")}`, (signal) =>
    rowsOf(dataset.id, { columns: asked, every, limit: MOST_POINTS }, signal),
  );
  const column = dataset.columns.find((each) => each.name === by);
  const groups = useMemo(() => {
    const page = found.value;
    if (!page) return [];
    const places = [x, y, by].map((name) => (name === null ? -1 : page.columns.indexOf(name)));
    const cells = page.rows.map((row) => places.map((place) => (place < 0 ? true : row[place])));
    const words = {
      others: text.others,
      missing: text.missingCell,
      range: (low: number, high: number) => `${number(low, 3)} … ${number(high, 3)}`,
      name: (value: unknown) => (typeof value === "boolean" ? (column?.words?.[value ? 1 : 0] ?? (value ? text.yes : text.no)) : typeof value === "number" ? number(value) : String(value)),
    };
    return grouped(cells, cells.map((_, place) => place * every), column ? isNumeric(column) : false, words);
  }, [found.value, x, y, by, text]);
  const title = text.scatterTitle(x, y);
  return (
    <Loaded resource={found}>
      {(page) => (
        <Figure
          title={title}
          caption={every === 1 ? text.everyRow(integer(dataset.rows)) : text.everyNth(integer(every), integer(page.rows.length))}
          rows={() => ({
            columns: [text.row, x, y, ...(by ? [by] : [])],
            rows: groups.flatMap((group) => group.x.map((value, place) => [group.rows[place] as number, value, group.y[place] as number, ...(by ? [group.name] : [])])),
          })}
        >
          <Scatter label={title} xLabel={x} yLabel={y} height={440} groups={groups.map((group) => ({ name: group.name, x: group.x, y: group.y, notes: group.rows.map((row) => `${text.row} ${integer(row)}`) }))} />
        </Figure>
      )}
    </Loaded>
  );
}
