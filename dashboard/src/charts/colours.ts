/** Colours of charts, read from the style sheet so that light and dark agree with it. */
import { isDark } from "~/state/preferences";

/** Series colours that colour-blind people tell apart (after Okabe and Ito); further series repeat them with another dash. */
export const SERIES = 8;
const DASHES: number[][] = [[], [6, 4], [2, 3]];

/** Variables that were read, by theme and name: to read one has the browser work out the styles of the page. */
const read = new Map<string, string>();

/** A variable of style.css, such as "--accent". */
export function colour(name: string): string {
  const key = `${isDark.value} ${name}`;
  let found = read.get(key);
  if (!found) {
    found = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    if (document.documentElement.dataset.theme === (isDark.value ? "dark" : "light")) read.set(key, found);
  }
  return found;
}

/** Colour and dash of the series at `index`. Drawn again when `isDark` changes, where it is read while rendering. */
export function seriesLook(index: number): { colour: string; dash: number[] } {
  void isDark.value;
  return { colour: colour(`--series-${(index % SERIES) + 1}`), dash: DASHES[Math.floor(index / SERIES) % DASHES.length] as number[] };
}

/** A colour from orange over the background to blue for `value` from −1 to 1, as red, green, blue from 0 to 255. */
export function diverging(value: number): [number, number, number] {
  const positive = isDark.value ? [86, 180, 233] : [0, 114, 178];
  const middle = isDark.value ? [24, 28, 32] : [250, 250, 250];
  const negative = isDark.value ? [255, 150, 60] : [213, 94, 0];
  const end = value < 0 ? negative : positive;
  const share = Math.min(1, Math.abs(Number.isNaN(value) ? 0 : value));
  return [0, 1, 2].map((k) => Math.round((middle[k] as number) + ((end[k] as number) - (middle[k] as number)) * share)) as [number, number, number];
}
