/** How much a metric loses as the cells of one column change places. */
import { api, body, type Schema } from "~/api/client";
import { Bar, scaleOf } from "~/charts/Bar";
import { NumberField } from "~/elements/Field";
import { Figure } from "~/elements/Figure";
import { Formula } from "~/elements/Formula";
import { Loaded } from "~/elements/Notice";
import { useResource } from "~/state/resource";
import { useMoving } from "~/state/settled";
import { integer, number, toNumber } from "~/text/format";
import { seriesName } from "~/text/series";
import { whyText } from "~/text/why";
import type { PartProps } from "./index";

const MOST_REPEATS = 100;
const USUAL_REPEATS = "10";
/** Columns that are listed; the file has all. */
const MOST_COLUMNS = 40;

export function Importance({ model }: PartProps) {
  const text = whyText();
  const [written, setRepeats] = useMoving("repeats", USUAL_REPEATS);
  const repeats = Math.min(MOST_REPEATS, Math.max(1, Math.trunc(Number(written)) || Number(USUAL_REPEATS)));
  const found = useResource(`importance:${model.id}:${repeats}`, (signal) => body(api.GET("/v1/models/{model_id}/importance", { params: { path: { model_id: model.id }, query: { repeats } }, signal })));
  return (
    <>
      <div class="fields narrow">
        <NumberField label={text.repeats} value={repeats} min={1} max={MOST_REPEATS} step={1} onChange={(value) => value !== null && setRepeats(String(value))} />
      </div>
      <Loaded resource={found}>{(importance) => <Shown importance={importance} />}</Loaded>
    </>
  );
}

function Shown({ importance }: { importance: Schema["ImportanceResource"] }) {
  const text = whyText();
  const { columns, metric, value, rows, of_rows, split } = importance;
  const bars = columns.map((column) => ({ ...column, importance: toNumber(column.importance), std: toNumber(column.std) }));
  const scale = scaleOf(bars.flatMap((bar) => [bar.importance - bar.std, bar.importance + bar.std]));
  const name = seriesName(metric);
  const caption = [text.isNow(name, number(value)), text.overRows(integer(rows), integer(of_rows), text.splitNames[split]), bars.length > MOST_COLUMNS && text.firstOf(integer(MOST_COLUMNS), integer(bars.length))];
  return (
    <Figure title={text.loses(name)} caption={caption.filter(Boolean).join(" ")} rows={() => ({ columns: ["column", "importance", "std"], rows: bars.map((bar) => [bar.column, bar.importance, bar.std]) })}>
      <div class="table-frame" tabIndex={0} role="region" aria-label={text.loses(name)}>
        <table>
          <thead>
            <tr>
              <th>{text.column}</th>
              <td aria-hidden="true" />
              <th class="number">{text.importance}</th>
              <th class="number">{text.spread}</th>
            </tr>
          </thead>
          <tbody>
            {bars.slice(0, MOST_COLUMNS).map((bar) => (
              <tr key={bar.column}>
                <th scope="row">{bar.column}</th>
                <td class="bar-cell" aria-hidden="true">
                  <Bar scale={scale} from={0} to={bar.importance} spread={bar.std} />
                </td>
                <td class="number">{number(bar.importance)}</td>
                <td class="number">± {number(bar.std, 2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Formula latex={importance.formula} isBlock />
      <p class="muted small">{importance.source}</p>
    </Figure>
  );
}
