/** The catalog: what activations, losses, optimizers, … there are, with their formulas and fields. */
import { api, body, type Schema } from "~/api/client";
import { useResource } from "~/state/resource";

/** One of the catalog, with its own fields. */
export type Kind = { kind: string } & Record<string, unknown>;
export type Entry = Schema["CatalogEntry"];
export type Catalog = Record<string, Entry[]>;

export const useCatalog = () => useResource("catalog", (signal) => body<Catalog>(api.GET("/v1/catalog", { signal }) as never));

/** A field of an entry that holds a number, as its JSON Schema says it. */
export interface NumberOf {
  name: string;
  title: string;
  description: string;
  usual: number | null;
  least: number | null;
  most: number | null;
  isWhole: boolean;
}

type Property = { type?: string; anyOf?: Property[]; title?: string; description?: string; default?: unknown; minimum?: number; exclusiveMinimum?: number; maximum?: number; exclusiveMaximum?: number };

/** The numbers that can be chosen for a kind. */
export function numbersOf(entry: Entry | undefined): NumberOf[] {
  const properties = (entry?.schema?.properties ?? {}) as Record<string, Property>;
  return Object.entries(properties).flatMap(([name, property]): NumberOf[] => {
    const typed = [property, ...(property.anyOf ?? [])].find(({ type }) => type === "number" || type === "integer");
    if (!typed) return [];
    return [
      {
        name,
        title: property.title ?? name,
        description: property.description ?? "",
        usual: typeof property.default === "number" ? property.default : null,
        least: typed.minimum ?? typed.exclusiveMinimum ?? null,
        most: typed.maximum ?? typed.exclusiveMaximum ?? null,
        isWhole: typed.type === "integer",
      },
    ];
  });
}

export const entryOf = (catalog: Catalog, family: string, kind: string): Entry | undefined => (catalog[family] ?? []).find((entry) => entry.kind === kind);

/** What a kind is called in the reader's language; as it is typed, while the catalog is awaited. */
export const titleOf = (catalog: Catalog | undefined, family: string, kind: string): string => (catalog && entryOf(catalog, family, kind)?.title) ?? kind.replaceAll("_", " ");
