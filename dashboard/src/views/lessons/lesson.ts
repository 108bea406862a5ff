/** What a lesson is: its texts in both languages, its calls of the service, its pictures and its exercise. */
import type { ComponentType } from "preact";
import type { Language, Shape } from "~/text/language";
import type { Calls } from "./calls";

/** A text of a lesson: {name} stands for a number that the page computes, $…$ for a formula, in which it is \num{name}. */
export type Prose = string;

export interface Words {
  title: string;
  /** One sentence under the title, and in the list. */
  lead: string;
  /** In the order in which they are read. */
  parts: Record<string, { title: string; text: Prose[] }>;
  /** What the pictures say. */
  picture: Record<string, string>;
  exercise: {
    ask: Prose[];
    hint: Prose;
    /** By the name of a field. */
    fields: Record<string, string>;
    /** By the value of a choice, of those that are words. */
    options?: Record<string, string>;
    right: Prose;
    /** What is said of a wrong answer, by what is wrong with it. */
    wrong: Record<string, Prose>;
  };
}

/** Numbers as the page writes them, by name. */
export type Numbers = Record<string, string>;
export type Answer = Record<string, number | string>;

export type Field =
  | { name: string; start: number; least?: number; most?: number }
  /** Values that are words of the lesson, or else stand as they are. */
  | { name: string; options: string[] };

export interface Verdict {
  isRight: boolean;
  /** Which text of `wrong` says why not. */
  why?: string;
  /** Numbers that the answer brought up. */
  numbers?: Numbers;
}

export interface Shown<D> {
  data: D;
  /** The lesson's own words for pictures, in the reader's language. */
  words: Record<string, string>;
  numbers: Numbers;
}

export interface Exercise<D, T> {
  fields: (data: D) => Field[];
  /** What comes of an answer: asked of the service. */
  attempt?: (answer: Answer, data: D, calls: Calls) => Promise<T>;
  /** Whether the answer is right, by the numbers that the service gave. */
  judge: (answer: Answer, data: D, tried: T) => Verdict;
  /** Shows what came of the answer. */
  Outcome?: ComponentType<Shown<D> & { answer: Answer; tried: T }>;
}

export interface Lesson<D = unknown, T = unknown> {
  /** Its address under /lessons. */
  name: string;
  words: Record<Language, Words>;
  /** All that the page asks the service for. The seed decides it: the same seed, the same numbers. */
  load: (calls: Calls) => Promise<D>;
  numbers: (data: D) => Numbers;
  /** By part. */
  pictures: Record<string, ComponentType<Shown<D>>>;
  exercise: Exercise<D, T>;
}

/** A lesson as the register keeps it: what its data are is its own affair. */
export function lesson<D, T = undefined, W extends Words = Words>(given: Omit<Lesson<D, T>, "words"> & { english: W; portuguese: Shape<W> }): Lesson {
  const { english, portuguese, ...others } = given;
  return { ...others, words: { en: english, "pt-BR": portuguese as unknown as Words } } as unknown as Lesson;
}
