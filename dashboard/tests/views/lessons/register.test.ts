import { expect, it, vi } from "vitest";
import type { Answer, Words } from "~/views/lessons/lesson";
import { LESSONS } from "~/views/lessons/register";
import { namesIn, wordsOf } from "~/views/lessons/Text";

vi.hoisted(() => vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} }))); // jsdom has none

/** What a lesson is called for, and layers of a network: no results. */
const NAMES = /LeNet-5|\bC\d\b/g;
const LANGUAGES = ["en", "pt-BR"] as const;

const prose = (words: Words): string[] => [words.title, words.lead, ...Object.values(words.parts).flatMap(({ title, text }) => [title, ...text]), ...words.exercise.ask, words.exercise.hint, words.exercise.right, ...Object.values(words.exercise.wrong)];
const all = (words: Words): string[] => [...prose(words), ...Object.values(words.picture), ...Object.values(words.exercise.fields), ...Object.values(words.exercise.options ?? {})];

/** Something with the fields of an answer of the service. */
const path = (costs: number[], diverged = false) => ({ costs, diverged, epochs: [], points: [] });
const relation = (leverages: number[]) => ({ y_on_x: { leverages, residuals: [0], slope: 2, intercept: 1, r2: 1 } });
const job = (latest: object) => ({ latest });
const start = (name: string, first: number, last: number) => ({ name, spread: { layers: [first, last].map((std) => ({ gradients: { std } })) } });
const trace = (weight: number, slope: number, told: number) => ({ steps: [{ quantities: Object.entries({ W: weight, dW: slope, new_W: told }).map(([name, value]) => ({ name, layer: "hidden_1", values: [[value]] })) }] });
const minimum = { surfaces: [{ minimum: { coefficients: [2, -1] } }], classes: ["lower", "upper"] };

/** For each lesson: what the service answered, a right answer with what came of it, and a wrong one. */
const CASES: Record<string, { data?: unknown; right: [Answer, unknown?]; wrong: [Answer, unknown?, string?] }> = {
  correlation: { data: [[0.3], [0.2, 1], [0.4], [0.3]].map(relation), right: [{ set: "B" }], wrong: [{ set: "C" }] },
  line: { data: { months: 3, exact: relation([1]) }, right: [{ weight: 7.04 }], wrong: [{ weight: 7.1 }, , "off"] },
  rate: { right: [{ rate: 3 }, { paths: [path([1, 2])] }], wrong: [{ rate: 1 }, { paths: [path([2, 1])] }, "fell"] },
  batches: { right: [{ steps: 3 }, { paths: [path([4, 3, 2, 1])] }], wrong: [{ steps: 4 }, { paths: [path([4, 3, 2, 1])] }, "many"] },
  scaling: { right: [{ rate: 1 }, { paths: [path([2, 1])] }], wrong: [{ rate: 9 }, { paths: [path([2, 1], true)] }, "diverged"] },
  logistic: { data: { found: minimum }, right: [{ height: 0.52 }], wrong: [{ height: -0.5 }, , "off"] },
  perceptron: { data: { together: { job: job({ pocket_mistakes: 30 }) } }, right: [{ distance: -1 }, { job: job({ pocket_mistakes: 19 }) }], wrong: [{ distance: 1 }, { job: job({ pocket_mistakes: 0 }) }, "none"] },
  xor: { right: [{ units: 2 }, { job: job({ train_accuracy: 1 }) }], wrong: [{ units: 1 }, { job: job({ train_accuracy: 0.75 }) }] },
  activations: { data: { depth: 3, curves: [{ slope: [0.1, 0.5] }] }, right: [{ share: 0.125 }], wrong: [{ share: 0.5 }, , "one"] },
  backpropagation: { data: { rate: 0.1, trace: trace(0.5, -2, 0.7) }, right: [{ weight: 0.70004 }], wrong: [{ weight: 0.3 }, , "sign"] },
  initialisation: { data: { starts: [start("zeros", 0, 0), start("small", 1e-6, 0.1), start("he", 0.2, 0.1)] }, right: [{ start: "small" }], wrong: [{ start: "zeros" }, , "zero"] },
  "lenet-5": { data: { layers: [{ name: "conv2d_2", parameters: 880, input_shape: [4, 4, 6], output_shape: [4, 4, 16] }] }, right: [{ parameters: 880 }], wrong: [{ parameters: 864 }, , "bias"] },
  losses: { data: { error: 3, told: 2.5 }, right: [{ loss: 2.5 }], wrong: [{ loss: 4.5 }, , "square"] },
  optimizers: { data: { race: { paths: [path([9]), path([9]), path([9]), path([9, 1])] } }, right: [{ rate: 1 }, { paths: [path([9, 0.5])] }], wrong: [{ rate: 0.1 }, { paths: [path([9, 2])] }, "slow"] },
};

it("has every lesson once, with an address that needs no escapes", () => {
  const names = LESSONS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !/^[a-z][a-z0-9-]*$/.test(name))).toEqual([]);
});

it.each(LESSONS)("has in $name texts in both languages that name the same numbers, and none of their own", (lesson) => {
  const [english, portuguese] = LANGUAGES.map((language) => lesson.words[language]) as [Words, Words];
  expect(Object.keys(portuguese.parts)).toEqual(Object.keys(english.parts));
  expect(prose(portuguese).map((text) => namesIn(text).sort())).toEqual(prose(english).map((text) => namesIn(text).sort()));
  for (const words of [english, portuguese]) {
    expect(all(words).filter((text) => text.trim() === "")).toEqual([]);
    expect(all(words).filter((text) => /\d/.test(wordsOf(text).replace(NAMES, "")))).toEqual([]);
  }
  expect(Object.keys(lesson.pictures).filter((part) => !(part in english.parts))).toEqual([]);
});

it.each(LESSONS)("takes in $name a right answer, and says what is wrong with another", (lesson) => {
  const { data, right, wrong } = CASES[lesson.name]!;
  expect(lesson.exercise.judge(right[0], data, right[1]).isRight).toBe(true);
  const verdict = lesson.exercise.judge(wrong[0], data, wrong[1]);
  expect(verdict.isRight).toBe(false);
  expect(verdict.why).toBe(wrong[2]);
  expect(lesson.words.en.exercise.wrong).toHaveProperty(verdict.why ?? "other");
});
