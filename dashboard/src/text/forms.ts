/** Texts of forms that are made from a schema. */
import { language, translated, type Language } from "./language";

export const formsText = translated(
  {
    reset: "Default",
    resetLong: (title: string) => `${title}: back to the default`,
    usual: "not set",
    yes: "yes",
    no: "no",
    use: (title: string) => `Use ${title.toLowerCase()}`,
    another: "a number",
    weights: "by name",
    add: (title: string) => `Add ${title.toLowerCase()}`,
    kindOf: (title: string) => `Kind of ${title.toLowerCase()} to add`,
    layer: "Layer",
    remove: "Remove",
    removeItem: (name: string) => `Remove ${name}`,
    up: (name: string) => `Move ${name} up`,
    down: (name: string) => `Move ${name} down`,
    drag: (name: string) => `Move ${name}: drag, or press the arrow keys`,
    movedTo: (name: string, place: number) => `${name} is now at place ${place}`,
    empty: "None.",
    separated: "Separate them with commas.",
    json: "As JSON.",
    source: "Source",
    derivative: "Derivative",
    formula: "Formula",
    from: (low: string) => `≥ ${low}`,
    above: (low: string) => `> ${low}`,
    upTo: (high: string) => `≤ ${high}`,
    below: (high: string) => `< ${high}`,
  },
  {
    reset: "Padrão",
    resetLong: (title: string) => `${title}: voltar ao padrão`,
    usual: "sem valor",
    yes: "sim",
    no: "não",
    use: (title: string) => `Usar ${title.toLowerCase()}`,
    another: "um número",
    weights: "por nome",
    add: (title: string) => `Adicionar ${title.toLowerCase()}`,
    kindOf: (title: string) => `Tipo de ${title.toLowerCase()} a adicionar`,
    layer: "Camada",
    remove: "Remover",
    removeItem: (name: string) => `Remover ${name}`,
    up: (name: string) => `Mover ${name} para cima`,
    down: (name: string) => `Mover ${name} para baixo`,
    drag: (name: string) => `Mover ${name}: arraste ou use as setas do teclado`,
    movedTo: (name: string, place: number) => `${name} está agora na posição ${place}`,
    empty: "Nenhum.",
    separated: "Separe com vírgulas.",
    json: "Em JSON.",
    source: "Fonte",
    derivative: "Derivada",
    formula: "Fórmula",
    from: (low: string) => `≥ ${low}`,
    above: (low: string) => `> ${low}`,
    upTo: (high: string) => `≤ ${high}`,
    below: (high: string) => `< ${high}`,
  },
);

/** Titles that say more than the schema's own, and what an entry of a list is called, by the property's name. */
const TITLES: Record<string, Record<Language, string>> = { hidden: { en: "Hidden layers", "pt-BR": "Camadas ocultas" } };
const ENTRIES: Record<string, Record<Language, string>> = { hidden: { en: "Layer", "pt-BR": "Camada" } };

interface Titled {
  name: string;
  title: string;
}

/** The title of a field; the schema comes in the reader's language. */
export function titleText({ name, title }: Titled): string {
  return TITLES[name]?.[language.value] ?? title;
}

export function entryText(field: Titled): string {
  return ENTRIES[field.name]?.[language.value] ?? titleText(field);
}
