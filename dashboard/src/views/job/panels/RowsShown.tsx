/** How rows are shown: as pictures, or as a table. Each opens with all that is known of it. */
import type { Schema } from "~/api/client";
import { integer, number, percent } from "~/text/format";
import { panelsText } from "~/text/panels";
import { rowsText } from "~/text/rows";
import { RowPicture } from "./RowPicture";
import { said, type RowPrediction, type Sheet } from "./rows";

/** What an image is of, in words. */
export function pictured({ row, target, prediction, right }: RowPrediction): string {
  const text = rowsText();
  if (target === null) return text.pictureOf(integer(row), text.cluster(said(prediction)));
  return text.pictureOf(integer(row), right ? text.agrees(said(target)) : text.becomes(said(target), said(prediction)));
}

/** How wide a picture is in the table, in pixels. */
const THUMBNAIL = 40;

interface ItemsProps {
  sheet: Sheet;
  onOpen: (place: number) => void;
}

export function Pictures({ items, sheet, onOpen }: ItemsProps & { items: RowPrediction[] }) {
  const text = rowsText();
  return (
    <ul class="row-pictures">
      {items.map((item, place) => (
        <li key={item.row}>
          <button type="button" aria-label={pictured(item)} onClick={() => onOpen(place)}>
            <RowPicture sheet={sheet} place={place} />
          </button>
          <span class={item.right === false ? "wrong" : ""}>{item.target === null ? text.cluster(said(item.prediction)) : item.right ? said(item.target) : `${said(item.target)} → ${said(item.prediction)}`}</span>
          <span class="muted small">{item.confidence === null ? number(item.loss, 3) : percent(Number(item.confidence), 1)}</span>
        </li>
      ))}
    </ul>
  );
}

export function Table({ found, sheet, onOpen }: Partial<ItemsProps> & Pick<ItemsProps, "onOpen"> & { found: Schema["SplitPredictions"] }) {
  const text = rowsText();
  const has = (name: "confidence" | "residual" | "leverage" | "weight" | "right") => found.items.some((item) => item[name] !== null && item[name] !== undefined);
  const hasTarget = found.items.some(({ target }) => target !== null);
  const columns: [title: string, isShown: boolean, cell: (item: RowPrediction) => string][] = [
    [text.confidence, has("confidence"), ({ confidence }) => percent(Number(confidence), 1)],
    [text.residual, has("residual"), ({ residual }) => said(residual)],
    [text.loss, true, ({ loss }) => number(loss)],
    [text.weight, has("weight"), ({ weight }) => number(weight)],
    [text.leverage, has("leverage"), ({ leverage }) => number(leverage)],
  ];
  const shown = columns.filter(([, isShown]) => isShown);
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={text.lead}>
      <table class="rows-table">
        <thead>
          <tr>
            <th scope="col" class="number">{text.row}</th>
            {sheet && <th scope="col">{text.picture}</th>}
            {hasTarget && <th scope="col">{text.target}</th>}
            <th scope="col">{hasTarget ? text.prediction : panelsText().clusterColumn}</th>
            {shown.map(([title]) => (
              <th key={title} scope="col" class="number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {found.items.map((item, place) => (
            <tr key={item.row}>
              <th scope="row" class="number">
                <button type="button" class="quiet small" aria-label={text.open(integer(item.row))} onClick={() => onOpen(place)}>
                  {integer(item.row)}
                </button>
              </th>
              {sheet && (
                <td>
                  <RowPicture sheet={sheet} place={place} label={pictured(item)} most={THUMBNAIL} />
                </td>
              )}
              {hasTarget && <td>{said(item.target)}</td>}
              <td>
                {said(item.prediction)} {has("right") && <Verdict isRight={item.right === true} />}
              </td>
              {shown.map(([title, , cell]) => (
                <td key={title} class="number">
                  {cell(item)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Whether a prediction is right, by sign and word. */
function Verdict({ isRight }: { isRight: boolean }) {
  const text = rowsText();
  return (
    <span class={isRight ? "verdict right" : "verdict wrong"} title={isRight ? text.right : text.wrong}>
      <span aria-hidden="true">{isRight ? "✓" : "✕"}</span>
      <span class="visually-hidden">{isRight ? text.right : text.wrong}</span>
    </span>
  );
}
