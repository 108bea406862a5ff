/** The numbers of a kind as its formulas call them. */
import { numbersOf, type Entry, type Kind } from "~/forms/catalog";
import { ownNumbers } from "./algebra/catalog";

/** The numbers of one kind by their symbols: as chosen, or else as usual. */
export function numbersBySymbol(entry: Entry | undefined, chosen: Kind): Record<string, number> {
  return ownNumbers(Object.fromEntries(numbersOf(entry).map(({ name, description, usual }) => [name, { description, value: chosen[name] ?? usual }])));
}
