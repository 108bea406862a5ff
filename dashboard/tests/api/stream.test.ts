import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { JobEvent, ListEvent } from "~/api/stream";

/** An EventSource that a test has say things. */
class Fake extends EventTarget {
  static readonly CLOSED = 2;
  static made: Fake[] = [];
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  constructor(readonly url: string) {
    super();
    Fake.made.push(this);
  }
  get jobs(): string[] {
    return (new URL(this.url, "http://here").searchParams.get("jobs") ?? "").split(",");
  }
  open() {
    this.readyState = 1;
    this.onopen?.();
  }
  say(kind: string, data: object, lastEventId: string) {
    this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data), lastEventId }));
  }
  fail(readyState: number) {
    this.readyState = readyState;
    this.onerror?.();
  }
  close() {
    this.readyState = Fake.CLOSED;
  }
}

const last = () => Fake.made.at(-1) as Fake;
const open = () => Fake.made.filter((source) => source.readyState !== Fake.CLOSED);
let stream: typeof import("~/api/stream");
let status = 200;

beforeEach(async () => {
  vi.useFakeTimers();
  Fake.made = [];
  vi.stubGlobal("EventSource", Fake);
  vi.stubGlobal("fetch", vi.fn(async () => new Response(null, { status })));
  vi.resetModules();
  stream = await import("~/api/stream");
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("jobs", () => {
  it("are watched in one stream, from each one's place", () => {
    stream.watch([{ id: "a", from: 7 }], () => {});
    stream.watch([{ id: "b" }, { id: "a", from: 9 }], () => {});
    vi.runAllTimers();
    expect(Fake.made.map((source) => source.jobs)).toEqual([["a:7", "b:0"]]);
    expect(stream.connection.value).toBe("connecting");
    last().open();
    expect(stream.connection.value).toBe("live");
  });

  it("give each listener what follows its own place, once", () => {
    const [first, second]: [JobEvent[], JobEvent[]] = [[], []];
    stream.watch([{ id: "a", from: 7 }], (event) => first.push(event));
    const stop = stream.watch([{ id: "a", from: 8 }], (event) => second.push(event));
    vi.runAllTimers();
    last().say("metric", { job_id: "a", epoch: 1 }, "h.8");
    last().say("metric", { job_id: "a", epoch: 2 }, "h.9");
    stop();
    vi.runAllTimers();
    last().say("metric", { job_id: "a", epoch: 3 }, "h.10");
    expect(first.map((event) => [event.jobId, event.id, event.data])).toEqual([["a", "8", { epoch: 1 }], ["a", "9", { epoch: 2 }], ["a", "10", { epoch: 3 }]]);
    expect(second.map((event) => event.id)).toEqual(["9"]);
    expect(Fake.made).toHaveLength(1);
  });

  it("go on at their place when others come", () => {
    const told: string[] = [];
    stream.watch([{ id: "a", from: 1 }, { id: "b", from: 1 }], (event) => told.push(event.jobId + event.id));
    vi.runAllTimers();
    const before = last();
    before.say("metric", { job_id: "b", epoch: 1 }, "h.1.5");
    stream.watch([{ id: "c", from: 3 }], (event) => told.push(event.jobId + event.id));
    vi.runAllTimers();
    before.say("metric", { job_id: "b", epoch: 2 }, "h.1.6"); // was under way when it was closed: the new one tells it
    expect(open().map((source) => source.jobs)).toEqual([["a:1", "b:5", "c:3"]]);
    last().say("metric", { job_id: "b", epoch: 2 }, "g.1.6.3");
    last().say("deleted", { job_id: "a" }, "g.x.6.3");
    last().say("deleted", { job_id: "a" }, "g.x.6.3");
    expect(told).toEqual(["b5", "b6", "ax"]);
  });

  it("are watched no more once nobody does", () => {
    const stop = stream.watch([{ id: "a" }], () => {});
    vi.runAllTimers();
    stop();
    vi.runAllTimers();
    expect(open()).toEqual([]);
    expect(stream.connection.value).toBe("idle");
  });

  it("are left once all is told, and taken up again where the server was away", async () => {
    stream.watch([{ id: "a", from: 4 }], () => {});
    vi.runAllTimers();
    last().open();
    last().say("state", { job_id: "a" }, "h.6");
    last().fail(0); // the browser tries on by itself
    expect([stream.connection.value, Fake.made.length]).toEqual(["lost", 1]);
    status = 502; // of a proxy: the browser gives up
    last().fail(Fake.CLOSED);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(last().jobs).toEqual(["a:6"]);
    expect(Fake.made).toHaveLength(2);
    expect(stream.connection.value).toBe("lost");
    status = 204;
    last().fail(Fake.CLOSED);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(Fake.made).toHaveLength(2);
    expect(stream.connection.value).toBe("idle");
    status = 200;
  });
});

describe("the list of jobs", () => {
  it("is read when the stream is open, and again where something was missed", async () => {
    const told: ListEvent[] = [];
    const stop = stream.watchAll((event) => told.push(event));
    expect(last().url).toBe("/v1/events");
    last().open();
    last().say("state", { id: "a" }, "0-5");
    last().say("progress", { id: "a" }, "0-5");
    last().open(); // the browser has connected again, and goes on after 0-5 by itself
    status = 503;
    last().fail(Fake.CLOSED);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(last().url).toBe("/v1/events?from=0-5");
    last().say("reset", {}, "0-9");
    last().say("deleted", { id: "a" }, "0-10");
    expect(told.map((event) => event.event)).toEqual(["reset", "state", "progress", "reset", "deleted"]);
    stop();
    expect(open()).toEqual([]);
    status = 200;
  });
});
