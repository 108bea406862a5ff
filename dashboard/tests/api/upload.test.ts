import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "~/api/problem";
import { PIECE_BYTES, upload, type Sent } from "~/api/upload";

/** In the place of a Blob, which jsdom's and Node.js's fetch do not share. */
interface Piece {
  size: number;
  bytes: Uint8Array;
}

/** A server that keeps what it gets, and breaks the connections that `breaks` names, after so many bytes of the piece. */
class Server {
  kept = new Uint8Array(0);
  requests: string[] = [];
  breaks: (number | null)[] = [];
  refusal: Response | null = null;

  async answer(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    this.requests.push(`${init.method} ${path} ${headers.get("Upload-Offset") ?? ""}`.trim());
    if (init.method === "POST") return new Response(null, { status: 201, headers: { Location: "/v1/uploads/upl_1" } });
    if (init.method === "HEAD") return new Response(null, { status: 204, headers: { "Upload-Offset": String(this.kept.length) } });
    const offset = Number(headers.get("Upload-Offset"));
    if (offset !== this.kept.length) return Response.json({ code: "MISMATCHING_UPLOAD_OFFSET" }, { status: 409 });
    if (this.refusal) return this.refusal;
    const piece = (init.body as unknown as Piece).bytes;
    const broken = this.breaks.shift();
    const came = piece.slice(0, broken ?? piece.length);
    const kept = new Uint8Array(this.kept.length + came.length);
    kept.set(this.kept);
    kept.set(came, this.kept.length);
    this.kept = kept;
    if (broken !== undefined && broken !== null) throw new TypeError("connection lost");
    if (headers.get("Upload-Complete") === "?0") return new Response(null, { status: 204 });
    return Response.json({ id: "ds_1" }, { status: 201 });
  }
}

const content = new Uint8Array(PIECE_BYTES + 1000).map((_, place) => (place * 7) % 251);
const slice = (start: number, end: number): Piece => {
  const bytes = content.slice(start, end);
  return { size: bytes.length, bytes };
};
const file = { name: "t.csv", size: content.length, slice } as unknown as File;
let server: Server;

beforeEach(() => {
  server = new Server();
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => server.answer(path, init));
});
afterEach(() => vi.unstubAllGlobals());

function send(begun?: string, onWaiting?: (isWaiting: boolean) => void) {
  const sent: Sent[] = [];
  const watcher = { signal: new AbortController().signal, onSent: (now: Sent) => sent.push(now), onWaiting, wait: async () => undefined };
  return { sent, dataset: upload(file, { format: "csv" }, watcher, begun) };
}

const isWhole = () => Buffer.compare(Buffer.from(server.kept), Buffer.from(content)) === 0;

describe("a file is sent in pieces", () => {
  it("and becomes a dataset", async () => {
    const { sent, dataset } = send();
    expect((await dataset).id).toBe("ds_1");
    expect(server.requests).toEqual(["POST /v1/uploads?filename=t.csv&format=csv", "PATCH /v1/uploads/upl_1 0", `PATCH /v1/uploads/upl_1 ${PIECE_BYTES}`]);
    expect(sent.map((now) => now.offset)).toEqual([0, PIECE_BYTES, content.length]);
    expect(isWhole()).toBe(true);
  });

  it("and goes on where the server says after the connection broke", async () => {
    server.breaks = [1234, 0];
    const waits: boolean[] = [];
    const { dataset } = send(undefined, (isWaiting) => waits.push(isWaiting));
    expect((await dataset).id).toBe("ds_1");
    expect(isWhole()).toBe(true);
    expect(server.requests).toContain("PATCH /v1/uploads/upl_1 1234");
    expect(waits).toEqual([true, false]);
  });

  it("and is taken up after a reload", async () => {
    server.kept = content.slice(0, 5000);
    const { sent, dataset } = send("/v1/uploads/upl_1");
    await dataset;
    expect(server.requests[0]).toBe("HEAD /v1/uploads/upl_1");
    expect(sent[0]?.offset).toBe(5000);
    expect(isWhole()).toBe(true);
  });

  it("unless it is refused, which is told at once", async () => {
    server.refusal = Response.json({ code: "UNREADABLE_FILE", detail: "line 3 has 1 cells" }, { status: 422 });
    await expect(send().dataset).rejects.toMatchObject({ code: "UNREADABLE_FILE", detail: "line 3 has 1 cells" });
    await expect(send().dataset).rejects.toBeInstanceOf(Problem);
  });
});
