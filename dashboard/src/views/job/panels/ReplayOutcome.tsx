/** Whether a replay agrees with what was recorded, to the bit, or the first number that does not. */
import { Fragment } from "preact";
import type { Schema } from "~/api/client";
import { Notice } from "~/elements/Notice";
import { integer, number } from "~/text/format";
import { replayText } from "~/text/replay";
import { seriesName } from "~/text/series";

type Result = Schema["ReplayResult"];
/** Digits that tell two numbers of 64 bits apart. */
const ALL_DIGITS = 17;

/** Where the first difference is, in words. */
export function placeOf({ what, name, at, index }: NonNullable<Result["first_difference"]>): string {
  const text = replayText();
  if (what === "curve") return text.curveAt(seriesName(name), integer(at));
  return text.weightsAt(name, index ? `[${index.join(", ")}]` : "", integer(at));
}

export function ReplayOutcome({ found }: { found: Result }) {
  const text = replayText();
  const { agrees, from_epoch, to_epoch, compared, first_difference, versions } = found;
  const weights = compared.weights_of_epochs.length ? text.weights(compared.weights_of_epochs.map((epoch) => integer(epoch)).join(", ")) : text.noWeights;
  return (
    <>
      <Notice kind={agrees ? "success" : "warning"} title={agrees ? text.agrees : text.differs}>
        {text.stretch(integer(from_epoch + 1), integer(to_epoch))} {text.compared(integer(compared.curve_points), integer(compared.series.length))} {weights}
      </Notice>
      {first_difference && (
        <dl class="facts">
          <dt>{text.first}</dt>
          <dd>{placeOf(first_difference)}</dd>
          <dt>{text.then}</dt>
          <dd>{number(first_difference.then, ALL_DIGITS)}</dd>
          <dt>{text.now}</dt>
          <dd>{number(first_difference.now, ALL_DIGITS)}</dd>
        </dl>
      )}
      <details>
        <summary>{text.versions}</summary>
        <Versions versions={versions} />
      </details>
    </>
  );
}

/** What both ran with; what differs stands out. */
function Versions({ versions: { then, now } }: { versions: Result["versions"] }) {
  const text = replayText();
  const names = [...new Set([...Object.keys(then ?? {}), ...Object.keys(now)])];
  return (
    <>
      {!then && <p class="muted">{text.notKept}</p>}
      <div class="table-frame">
        <table>
          <thead>
            <tr>
              {[text.version, ...(then ? [text.then] : []), text.now].map((title) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.map((name) => {
              const isOther = then !== null && then[name] !== now[name];
              const Shown = isOther ? "strong" : Fragment;
              return (
                <tr key={name}>
                  <th scope="row">{(text.names as Record<string, string>)[name] ?? name}</th>
                  {then && <td><Shown>{then[name] ?? "–"}</Shown></td>}
                  <td><Shown>{now[name] ?? "–"}</Shown></td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}
