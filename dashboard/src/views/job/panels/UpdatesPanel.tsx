/** The updates of a perceptron, one by one: the line, the row that moved it, and what it came to. */
import { useMemo } from "preact/hooks";
import { api, body, type Schema } from "~/api/client";
import { completed } from "~/api/completed";
import { Line } from "~/charts/Line";
import { Perceptron } from "~/charts/Perceptron";
import type { Update } from "~/charts/perceptron";
import { SelectField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Loaded } from "~/elements/Notice";
import { Empty, Section } from "~/elements/Page";
import { Stepper } from "~/elements/Stepper";
import { useKept, useResource, type Resource } from "~/state/resource";
import { useMoving, useSettled } from "~/state/settled";
import { integer, number } from "~/text/format";
import { perceptronText } from "~/text/perceptron";
import { useEpochs } from "./epochs";
import "./panels.css";

type Updates = Schema["PerceptronUpdates"];
type Table = Schema["RowsPage"];

/** Updates that are asked for at once. */
const PAGE = 100;
const MOST_POINTS = 1000;
const FRAME = 400;
const FRAMES = 60;

export function UpdatesPanel({ job }: { job: Schema["JobResource"] }) {
  const text = perceptronText();
  const epochs = useEpochs(job);
  const [epoch, setEpoch] = useMoving("after", "0");
  const [atText, setAt] = useMoving("update", "0");
  const wanted = Math.max(0, Math.trunc(Number(atText)) || 0);
  // Each page begins with the last update of the page before, whose line is the one before its first.
  const offset = useSettled(Math.max(0, Math.floor(wanted / PAGE) * PAGE - 1), 150);
  const found = useKept(
    useResource(`updates:${job.id}:${epoch}:${offset}:${job.done}`, (signal) => body(api.GET("/v1/jobs/{job_id}/updates", { params: { path: { job_id: job.id }, query: { epoch, offset, limit: PAGE + 1 } }, signal }))),
    (value) => value.job_id === job.id && String(value.epoch) === epoch,
  );
  const kept = (epochs.value ?? []).filter((each) => each < job.progress.epoch || each === 0).map(String);
  return (
    <>
      <p class="lead after-tabs">{text.lead}</p>
      <div class="fields narrow">
        <SelectField
          label={text.afterEpoch}
          value={epoch}
          onChange={(value) => {
            setAt("0");
            setEpoch(value);
          }}
          options={(kept.includes(epoch) ? kept : [epoch, ...kept]).map((value) => ({ value, label: value }))}
        />
      </div>
      <Loaded resource={found}>{(updates) => <Shown job={job} updates={updates} at={wanted} onAt={(at) => setAt(String(at))} />}</Loaded>
    </>
  );
}

function Shown({ job, updates, at: wanted, onAt }: { job: Schema["JobResource"]; updates: Updates; at: number; onAt: (at: number) => void }) {
  const text = perceptronText();
  const { total, offset, items } = updates;
  const at = Math.min(wanted, total - 1);
  const place = Math.min(items.length - 1, Math.max(0, at - offset));
  const update = items[place];
  if (!update) return <Empty title={text.none}>{text.noneHelp}</Empty>;
  const series = [
    { name: text.mistakesOf.now, x: items.map(({ number }) => number), y: items.map(({ mistakes }) => mistakes), look: 0 },
    { name: text.mistakesOf.pocket, x: items.map(({ number }) => number), y: items.map((item) => item.pocket_mistakes), look: 1 },
  ];
  const numbers = () => ({
    columns: ["update", "epoch", "row", "y", "score", "mistakes", "pocket_mistakes"],
    rows: items.map((each) => [each.number, each.epoch, each.row, each.y, each.score, each.mistakes, each.pocket_mistakes]),
  });
  return (
    <>
      <Stepper
        label={text.updates}
        at={at}
        last={total - 1}
        onChange={onAt}
        says={text.updateOf(integer(update.number), integer(update.number - place - offset - 1 + total), integer(update.epoch))}
        milliseconds={FRAME}
        stride={Math.max(1, Math.round(total / FRAMES))}
      />
      <div class="bench">
        <div>
          {updates.features.length === 2 && <Picture job={job} updates={updates} update={update} before={items[place - 1]} />}
          <Figure title={text.mistakes} rows={numbers}>
            <Line label={text.mistakes} series={series} xLabel={text.update} height={220} marks={[{ x: update.number, label: integer(update.mistakes) }]} />
          </Figure>
        </div>
        <Working updates={updates} update={update} />
      </div>
    </>
  );
}

/** Some rows of the job's dataset, or one of them. */
function useRows(job: Schema["JobResource"], columns: string[], query: { every?: number; offset?: number; limit: number }): Resource<Table> {
  const asked = { ...query, columns: JSON.stringify(columns) };
  return useResource(`rows:${job.dataset_id}:${JSON.stringify(asked)}`, (signal) =>
    body(api.GET("/v1/datasets/{dataset_id}/rows", { params: { path: { dataset_id: job.dataset_id }, query: asked }, headers: { Accept: "application/json" }, signal })),
  ) as Resource<Table>;
}

function Picture({ job, updates, update, before }: { job: Schema["JobResource"]; updates: Updates; update: Update; before: Update | undefined }) {
  const text = perceptronText();
  const target = String(completed(job).target);
  const [first, second] = updates.features as [string, string];
  const dataset = useResource(`dataset-rows:${job.dataset_id}`, (signal) => body(api.GET("/v1/datasets/{dataset_id}", { params: { path: { dataset_id: job.dataset_id } }, signal })));
  const all = dataset.value?.rows ?? 0;
  const every = Math.max(1, Math.ceil(all / MOST_POINTS));
  const table = useRows(job, [first, second, target], { every, limit: MOST_POINTS });
  const cause = useRows(job, [first, second], { offset: update.row, limit: 1 });
  const words = dataset.value?.columns.find(({ name }) => name === target)?.words;
  const rows = useMemo(() => {
    const place = (name: string) => table.value?.columns.indexOf(name) ?? -1;
    const [atX, atY, atClass] = [place(first), place(second), place(target)];
    const cells = (table.value?.rows ?? []).filter((row) => row[atX] !== null && row[atY] !== null && row[atClass] !== null);
    const told = (cell: unknown) => String(typeof cell === "boolean" && words ? words[cell ? 1 : 0] : cell);
    const positive = told(updates.classes[1]);
    return { x: cells.map((row) => Number(row[atX])), y: cells.map((row) => Number(row[atY])), classes: cells.map((row) => (told(row[atClass]) === positive ? 1 : 0)) };
  }, [table.value, words, first, second, target]);
  const last = useKept(cause, () => true).value;
  const cells = last?.rows[0]?.map(Number);
  const caption = [text.pictureCaption, !update.line && text.noLine, every > 1 && text.only(integer(rows.x.length))].filter(Boolean).join(" ");
  return (
    <Figure title={text.picture} caption={caption}>
      <Loaded resource={table}>
        {() => (
          <Perceptron
            update={update}
            before={before}
            features={[first, second]}
            classes={updates.classes.map(String) as [string, string]}
            rows={rows}
            cause={cells && { x: cells[last!.columns.indexOf(first)]!, y: cells[last!.columns.indexOf(second)]! }}
          />
        )}
      </Loaded>
    </Figure>
  );
}

/** The numbers of an update: why the row was wrong, and w before and after. */
function Working({ updates, update }: { updates: Updates; update: Update }) {
  const text = perceptronText();
  const { y, x, before, after, score, mistakes } = update;
  const name = updates.classes[y === 1 ? 1 : 0];
  return (
    <Section title={text.working}>
      <p>{text.row(integer(update.row), String(name), number(y))}</p>
      <p>{text.score(number(score))}</p>
      <p>{update.is_kept ? text.kept(integer(mistakes)) : text.notKept(integer(mistakes), integer(update.pocket_mistakes))}</p>
      <div class="table-frame" tabIndex={0} role="region" aria-label={text.working}>
        <table>
          <thead>
            <tr>
              <th>{text.weight}</th>
              {[text.w, text.x, text.wAfter].map((head) => (
                <th key={head} class="number">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {x.map((value, place) => (
              <tr key={place}>
                <th scope="row">{updates.features[place] ?? text.bias}</th>
                <td class="number">{number(before[place])}</td>
                <td class="number">{number(value)}</td>
                <td class="number">{number(after[place])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted small">{text.scaled}</p>
      <Formula latex={updates.formulas.after?.formula ?? ""} isBlock />
    </Section>
  );
}
