import type { Middleware } from "openapi-fetch";
import { afterEach, expect, it } from "vitest";
import { api } from "~/api/client";
import { Calls } from "~/views/lessons/calls";
import { digest, drawn, rounded, shuffled, whole } from "~/views/lessons/seeded";
import { namesIn, wordsOf } from "~/views/lessons/Text";

type Answered = [status: number, body: unknown];
let asked: string[] = [];

let middleware: Middleware | undefined;

/** A service that answers by method and path; an address that it is not told of fails the test. */
function service(answers: Record<string, (request: Request) => Answered>) {
  asked = [];
  middleware = {
    onRequest({ request }) {
      const address = `${request.method} ${new URL(request.url).pathname}`;
      asked.push(address);
      const [status, body] = answers[address]!(request);
      return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
    },
  };
  api.use(middleware);
}

afterEach(() => middleware && api.eject(middleware));

const calls = () => new Calls(7, new AbortController().signal);
const SAMPLE = { kind: "double_moons", distance: 1, seed: 7 };
const dataset = (id: string, more: object = {}) => ({ id, name: "lesson: double_moons, distance 1, seed 7", source: { kind: "sample", sample: { ...SAMPLE, radius: 10 } }, ...more });

it("takes the dataset that a lesson made before, and no other of that name", async () => {
  const others = [dataset("upload", { source: { kind: "upload" } }), dataset("seed", { source: { kind: "sample", sample: { ...SAMPLE, seed: 8 } } }), dataset("corrected", { source: { ...dataset("").source, read: {} } }), dataset("longer", { name: "lesson: double_moons, distance 1, seed 77" })];
  service({ "GET /v1/datasets": () => [200, { items: [...others, dataset("right")] }] });
  expect(await calls().dataset(SAMPLE)).toBe("right");
});

it("makes it by one key, and by another where what that made was deleted", async () => {
  const keys: (string | null)[] = [];
  service({
    "GET /v1/datasets": () => [200, { items: [] }],
    "POST /v1/samples": (request) => [201, dataset(keys.push(request.headers.get("Idempotency-Key")) === 1 ? "deleted" : "new")],
    "GET /v1/datasets/deleted": () => [404, { code: "NOT_FOUND" }],
    "GET /v1/datasets/new": () => [200, dataset("new")],
  });
  expect(await calls().dataset(SAMPLE)).toBe("new");
  expect(keys[0]).toBe(`lesson-${digest("lesson: double_moons, distance 1, seed 7")}`);
  expect(keys[1]).not.toBe(keys[0]);
});

it("waits for the dataset that another page makes at the same time", async () => {
  const answers: Answered[] = [[409, { code: "IDEMPOTENCY_KEY_IN_USE" }], [201, dataset("theirs")]];
  service({
    "GET /v1/datasets": () => [200, { items: [] }],
    "POST /v1/samples": () => answers.shift()!,
    "GET /v1/datasets/theirs": () => [200, dataset("theirs")],
  });
  expect(await calls().dataset(SAMPLE)).toBe("theirs");
});

it("takes a job that was submitted before, unless it failed or was cancelled", async () => {
  const job = (id: string, state: string) => ({ id, name: id, state, done: true, progress: { fraction: 1 } });
  service({ "GET /v1/jobs": () => [200, { items: [job("a", "failed"), job("b", "cancelled"), job("c", "succeeded")] }] });
  expect((await calls().job("ds_1", "name", { epochs: 3 })).id).toBe("c");
  expect(asked).toEqual(["GET /v1/jobs"]);
});

it("draws the same by the same seed", () => {
  const all = (seed: number) => {
    const draw = drawn(seed);
    return [draw(), whole(draw, 3, 5), rounded(draw, -1, 1, 2), shuffled(draw, [1, 2, 3, 4])];
  };
  expect(all(7)).toEqual(all(7));
  expect(all(7)).not.toEqual(all(8));
  expect(Array.from({ length: 50 }, (_, seed) => whole(drawn(seed), 3, 5)).every((value) => [3, 4, 5].includes(value))).toBe(true);
  expect(drawn(1)()).toBeCloseTo(0.6270739405881613, 15); // mulberry32 as published
});

it("finds the places for numbers in texts and formulas, and leaves LaTeX alone", () => {
  const text = "With $\\eta = \\num{rate}$ and $\\frac{a}{b}$ it is at {end}, after *all*.";
  expect(namesIn(text)).toEqual(["rate", "end"]);
  expect(wordsOf(text)).toBe("With  and  it is at , after *all*.");
});
