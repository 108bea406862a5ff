/** Choices that a seed makes: the same on every machine. */

/** Numbers from 0 to 1, one a call (mulberry32). */
export function drawn(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `least` to `most`. */
export const whole = (draw: () => number, least: number, most: number): number => least + Math.floor(draw() * (most - least + 1));

/** A number with so many decimal places, from `least` to `most`. */
export const rounded = (draw: () => number, least: number, most: number, places = 1): number => Number((least + draw() * (most - least)).toFixed(places));

export function shuffled<T>(draw: () => number, items: readonly T[]): T[] {
  const all = [...items];
  for (let last = all.length - 1; last > 0; last--) {
    const other = whole(draw, 0, last);
    [all[last], all[other]] = [all[other] as T, all[last] as T];
  }
  return all;
}

/** A text's digest as hexadecimal digits: names what was made for a request (cyrb53). */
export function digest(text: string): string {
  let [one, other] = [0xdeadbeef, 0x41c6ce57];
  for (const sign of text) {
    one = Math.imul(one ^ sign.codePointAt(0)!, 2654435761);
    other = Math.imul(other ^ sign.codePointAt(0)!, 1597334677);
  }
  one = Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(other ^ (other >>> 13), 3266489909);
  other = Math.imul(other ^ (other >>> 16), 2246822507) ^ Math.imul(one ^ (one >>> 13), 3266489909);
  return (4294967296 * (2097151 & other) + (one >>> 0)).toString(16).padStart(14, "0");
}
