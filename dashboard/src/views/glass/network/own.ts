/** The numbers that a network's activations, loss and optimizer have of their own, by their symbols. */
import { entryOf, type Catalog, type Kind } from "~/forms/catalog";
import { numbersBySymbol } from "../symbols";
import type { Own } from "./workings";

interface Made {
  layers: { activation: Kind }[];
  loss: Kind;
  optimizer: Kind;
}

export function ownOf(catalog: Catalog, { layers, loss, optimizer }: Made): Own {
  const numbers = (family: string, kind: Kind) => numbersBySymbol(entryOf(catalog, family, kind.kind), kind);
  return { activations: layers.map(({ activation }) => numbers("activations", activation)), loss: numbers("losses", loss), optimizer: numbers("optimizers", optimizer) };
}
