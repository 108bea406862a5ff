/** Chooses one of the epochs that something is kept for; can go through them by itself. */
import { useEffect, useId, useState } from "preact/hooks";
import { integer } from "~/text/format";
import { panelsText } from "~/text/panels";

interface Props {
  /** Ascending. */
  epochs: number[];
  /** The epoch chosen, or "last": the last one there is, whatever comes. */
  value: string;
  onChange: (value: string) => void;
}

const STEP_MILLISECONDS = 500;

/** Which epoch a choice means: itself, the nearest one kept, or the last. Undefined where none is kept. */
export function chosenEpoch(epochs: number[], value: string): number | undefined {
  const last = epochs[epochs.length - 1];
  if (value === "last" || Number.isNaN(Number(value))) return last;
  return epochs.reduce<number | undefined>((best, epoch) => (best === undefined || Math.abs(epoch - Number(value)) < Math.abs(best - Number(value)) ? epoch : best), undefined);
}

export function EpochSlider({ epochs, value, onChange }: Props) {
  const text = panelsText();
  const id = useId();
  const [isPlaying, setPlaying] = useState(false);
  const epoch = chosenEpoch(epochs, value);
  const place = epoch === undefined ? 0 : epochs.indexOf(epoch);
  const choose = (next: number) => onChange(next >= epochs.length - 1 ? "last" : String(epochs[next]));
  useEffect(() => {
    if (!isPlaying) return;
    if (place >= epochs.length - 1) {
      setPlaying(false);
      return;
    }
    const timer = setTimeout(() => choose(place + 1), STEP_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [isPlaying, place, epochs.length]);
  if (epochs.length < 2) return epoch === undefined ? null : <p class="muted">{text.atEpoch(integer(epoch))}</p>;
  const play = () => {
    if (!isPlaying && place >= epochs.length - 1) choose(0);
    setPlaying(!isPlaying);
  };
  return (
    <div class="epoch-slider">
      <label for={id}>{text.epoch}</label>
      <input id={id} type="range" min={0} max={epochs.length - 1} step={1} value={place} aria-valuetext={String(epoch)} onInput={(event) => choose(Number(event.currentTarget.value))} />
      <output for={id}>{integer(epoch)}</output>
      <button type="button" class="small" onClick={play}>
        {isPlaying ? text.pause : text.play}
      </button>
    </div>
  );
}
