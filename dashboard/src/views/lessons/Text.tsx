/** A lesson's text with the numbers that the page has computed in their places, and formulas drawn. */
import { Formula } from "~/elements/Formula";
import type { Numbers, Prose } from "./lesson";

/** A formula keeps what follows it at once, so that no line begins with a comma. */
const PIECES = /(\$\$[^$]+\$\$|\$[^$]+\$[.,;:?]?|\{\w+\}|\*[^*]+\*)/;
const NAMED = /\\num\{(\w+)\}/g;
const AWAITED = "…";

/** LaTeX with numbers in it; a comma in a number parts no list. */
const filled = (latex: string, numbers: Numbers): string => latex.replace(NAMED, (_, name: string) => numbers[name]?.replace(",", "{,}").replace("−", "-") ?? "\\ldots");

export function Text({ text, numbers }: { text: Prose; numbers: Numbers }) {
  return (
    <>
      {text.split(PIECES).map((piece, place) => {
        if (piece.startsWith("$$")) return <Formula key={place} latex={filled(piece.slice(2, -2), numbers)} isBlock />;
        if (piece.startsWith("$")) return <Inline key={place} piece={piece} numbers={numbers} />;
        if (piece.startsWith("*") && piece.length > 1) return <em key={place}>{piece.slice(1, -1)}</em>;
        if (/^\{\w+\}$/.test(piece)) return <b key={place} class="live">{numbers[piece.slice(1, -1)] ?? AWAITED}</b>;
        return piece;
      })}
    </>
  );
}

function Inline({ piece, numbers }: { piece: string; numbers: Numbers }) {
  const end = piece.lastIndexOf("$");
  return (
    <span class="nowrap">
      <Formula latex={filled(piece.slice(1, end), numbers)} />
      {piece.slice(end + 1)}
    </span>
  );
}

/** The names of numbers that a text has places for. */
export function namesIn(text: Prose): string[] {
  return text.split(PIECES).flatMap((piece) => {
    if (piece.startsWith("$")) return [...piece.matchAll(NAMED)].map(([, name]) => name!);
    return /^\{\w+\}$/.test(piece) ? [piece.slice(1, -1)] : [];
  });
}

/** What a text says in words of its own, without its formulas and the places for numbers. */
export const wordsOf = (text: Prose): string => text.split(PIECES).filter((piece) => !piece.startsWith("$") && !/^\{\w+\}$/.test(piece)).join("");
