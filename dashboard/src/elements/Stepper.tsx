/** Goes from moment to moment: buttons, a slider, or playing. */
import { useEffect, useState } from "preact/hooks";
import { wantsStillness } from "~/state/preferences";
import { glassText } from "~/text/glass";

interface Props {
  /** What the slider goes through. */
  label: string;
  at: number;
  /** The last place. */
  last: number;
  onChange: (at: number) => void;
  /** The place in words. */
  says: string;
  /** How long a place is shown while playing. */
  milliseconds: number;
  /** Places that are gone on at once while playing. */
  stride?: number;
}

export function Stepper({ label, at, last, onChange, says, milliseconds, stride = 1 }: Props) {
  const text = glassText();
  const [isPlaying, setPlaying] = useState(false);
  useEffect(() => {
    if (!isPlaying) return;
    if (at >= last) {
      setPlaying(false);
      return;
    }
    const timer = setTimeout(() => onChange(Math.min(last, at + stride)), milliseconds);
    return () => clearTimeout(timer);
  }, [isPlaying, at, last, milliseconds, stride]);
  const play = () => {
    if (isPlaying) setPlaying(false);
    else if (wantsStillness()) onChange(last);
    else {
      if (at >= last) onChange(0);
      setPlaying(true);
    }
  };
  const go = (to: number) => {
    setPlaying(false);
    onChange(Math.min(last, Math.max(0, to)));
  };
  return (
    <div class="stepper">
      <button type="button" onClick={() => go(0)} disabled={at === 0} aria-label={text.first} title={text.first}>
        ⇤
      </button>
      <button type="button" onClick={() => go(at - 1)} disabled={at === 0}>
        ← {text.back}
      </button>
      <button type="button" class="primary" onClick={() => go(at + 1)} disabled={at >= last}>
        {text.next} →
      </button>
      <button type="button" onClick={play} disabled={last === 0}>
        {isPlaying ? `Ⅱ ${text.pause}` : `▶ ${text.play}`}
      </button>
      <input type="range" min={0} max={last} value={at} aria-label={label} aria-valuetext={says} onInput={(event) => go(Number(event.currentTarget.value))} />
      <output aria-live="polite">{says}</output>
    </div>
  );
}
