/** What the reader has chosen, remembered in this browser. */
import { effect, signal, type Signal } from "@preact/signals";

/** A signal that is remembered under `name`. */
export function remembered<T>(name: string, usual: T): Signal<T> {
  const key = `vidro.${name}`;
  let first = usual;
  try {
    const stored = localStorage.getItem(key);
    if (stored !== null) first = JSON.parse(stored) as T;
  } catch {
    localStorage.removeItem(key); // what does not parse is not ours
  }
  const chosen = signal(first);
  let isFirst = true;
  effect(() => {
    const value = chosen.value;
    if (!isFirst) localStorage.setItem(key, JSON.stringify(value));
    isFirst = false;
  });
  return chosen;
}

export type Theme = "system" | "light" | "dark";
export const theme = remembered<Theme>("theme", "system");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

/** Whether the page is dark now: charts on canvas read it, and draw again when it changes. */
export const isDark = signal(false);

effect(() => {
  isDark.value = theme.value === "dark" || (theme.value === "system" && prefersDark.matches);
  document.documentElement.dataset.theme = isDark.value ? "dark" : "light";
});
prefersDark.addEventListener("change", () => {
  if (theme.peek() === "system") {
    isDark.value = prefersDark.matches;
    document.documentElement.dataset.theme = isDark.value ? "dark" : "light";
  }
});

/** Whether the reader wants no movement. */
export const wantsStillness = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;
