/** Small parts of fields: their bounds, their explanation, the way back to the default. */
import { formsText } from "~/text/forms";
import { number } from "~/text/format";
import type { Bounds } from "./schema";

const WIDE = 1e6;

/** The bounds in few signs; those that nobody meets are left out. */
export function boundsText(bounds: Bounds): string {
  const text = formsText();
  const { minimum, above, maximum, below } = bounds;
  const low = minimum !== undefined ? text.from(number(minimum)) : above !== undefined ? text.above(number(above)) : "";
  const most = maximum ?? below;
  const high = most === undefined || most >= WIDE ? "" : maximum !== undefined ? text.upTo(number(maximum)) : text.below(number(most));
  return [low, high].filter(Boolean).join(", ");
}

interface Props {
  bounds?: Bounds;
  title: string;
  onReset?: () => void;
}

export function Beside({ bounds, title, onReset }: Props) {
  const text = formsText();
  return (
    <>
      {bounds && <span class="bounds">{boundsText(bounds)}</span>}
      {onReset && (
        <button type="button" class="quiet reset" aria-label={text.resetLong(title)} onClick={onReset}>
          ↺ {text.reset}
        </button>
      )}
    </>
  );
}

/** An explanation as a sentence, with what stands between backticks as code. */
export function Described({ text }: { text: string }) {
  const whole = text.replace(/\s+/g, " ").trim();
  const sentence = whole.charAt(0).toUpperCase() + whole.slice(1) + (/[.!?]$/.test(whole) || whole === "" ? "" : ".");
  return <>{sentence.split("`").map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part))}</>;
}
