/** The language that people read: chosen, or else the browser's. Each view's texts stand in a file of their own. */
import { effect, signal } from "@preact/signals";

export type Language = "en" | "pt-BR";
export const LANGUAGES: Record<Language, string> = { en: "English", "pt-BR": "Português" };
const STORED = "vidro.language";

function first(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored !== null && stored in LANGUAGES) return stored as Language;
  const wanted = navigator.languages.find((tag) => /^(en|pt)\b/i.test(tag));
  return wanted?.toLowerCase().startsWith("pt") ? "pt-BR" : "en";
}

export const language = signal<Language>(first());

effect(() => {
  document.documentElement.lang = language.value;
});

export function chooseLanguage(chosen: Language): void {
  localStorage.setItem(STORED, chosen);
  language.value = chosen;
}

/** The same texts in another language. */
export type Shape<T> = { [K in keyof T]: T[K] extends string ? string : T[K] extends (...args: infer A) => string ? (...args: A) => string : Shape<T[K]> };

/** Texts in both languages; a text that one of them lacks is a type error. Called while rendering, it gives the reader's. */
export function translated<T>(english: T, portuguese: Shape<T>): () => Shape<T> {
  return () => (language.value === "en" ? (english as Shape<T>) : portuguese);
}
