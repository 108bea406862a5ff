/**
 * A file sent in pieces, as the IETF's draft on resumable uploads has it: what came before a connection broke is kept, and the
 * next piece goes where the server says that the last one ended.
 */
import { language } from "~/text/language";
import { keyAsked, type Schema } from "./client";
import { Problem, problemOf } from "./problem";

export type Dataset = Schema["DatasetResource"];

/** Bytes of a piece: small enough for a progress bar to move, large enough that asking costs nothing. */
export const PIECE_BYTES = 4 << 20;
const RETRY_MILLISECONDS = [500, 1_000, 2_000, 4_000, 8_000];

export interface Sent {
  /** Where the upload goes on: /v1/uploads/… */
  address: string;
  offset: number;
}

export interface Watcher {
  signal: AbortSignal;
  /** Called once the upload has an address, and after each piece. */
  onSent: (sent: Sent) => void;
  /** Called while the server does not answer, and again, with false, once it does. */
  onWaiting?: (isWaiting: boolean) => void;
  wait?: (milliseconds: number) => Promise<void>;
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

async function send(path: string, init: RequestInit): Promise<Response> {
  const headers = { "Accept-Language": language.peek(), ...init.headers };
  const response = await fetch(path, { credentials: "same-origin", ...init, headers });
  if (response.status === 401) keyAsked.value += 1;
  return response;
}

async function refused(response: Response): Promise<Problem> {
  return problemOf(response.status, await response.json().catch(() => undefined));
}

/** Send a file, or what is left of it where `begun` names an upload that was begun before; the dataset that it becomes. */
export async function upload(file: File, fields: Record<string, string>, watcher: Watcher, begun?: string): Promise<Dataset> {
  const { signal, onSent, onWaiting = () => undefined, wait = pause } = watcher;
  const patiently = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let round = 0; ; round++) {
      try {
        const found = await work();
        if (round > 0) onWaiting(false);
        return found;
      } catch (thrown) {
        if (!(thrown instanceof TypeError) || signal.aborted) throw thrown; // the server answered, or nobody waits any more
        onWaiting(true);
        await wait(RETRY_MILLISECONDS[Math.min(round, RETRY_MILLISECONDS.length - 1)] as number);
        signal.throwIfAborted();
      }
    }
  };
  const address = begun ?? (await patiently(() => begin(file, fields, signal)));
  let offset = begun ? await patiently(() => reached(address, signal)) : 0;
  onSent({ address, offset });
  for (;;) {
    const piece = file.slice(offset, offset + PIECE_BYTES);
    const isLast = offset + piece.size >= file.size;
    const at = offset;
    const response = await patiently(async () => {
      try {
        return await append(address, at, piece, isLast, signal);
      } catch (thrown) {
        if (!(thrown instanceof TypeError)) throw thrown;
        const kept = await reached(address, signal); // the server may have some of it
        if (kept === at) throw thrown;
        return kept;
      }
    });
    if (typeof response === "number") {
      offset = response;
    } else if (isLast && response.ok) {
      onSent({ address, offset: file.size });
      return (await response.json()) as Dataset;
    } else if (response.status === 409) {
      const kept = await patiently(() => reached(address, signal));
      if (kept === offset) throw await refused(response);
      offset = kept;
    } else if (!response.ok) {
      throw await refused(response);
    } else {
      offset += piece.size;
    }
    onSent({ address, offset });
  }
}

async function begin(file: File, fields: Record<string, string>, signal: AbortSignal): Promise<string> {
  const query = new URLSearchParams({ filename: file.name, ...fields });
  const headers = { "Upload-Complete": "?0", "Upload-Length": String(file.size) };
  const response = await send(`/v1/uploads?${query}`, { method: "POST", headers, signal });
  const address = response.headers.get("Location");
  if (!response.ok || !address) throw await refused(response);
  return address;
}

async function append(address: string, offset: number, piece: Blob, isLast: boolean, signal: AbortSignal): Promise<Response> {
  const headers = { "Content-Type": "application/partial-upload", "Upload-Offset": String(offset), "Upload-Complete": isLast ? "?1" : "?0" };
  return send(address, { method: "PATCH", headers, body: piece, signal });
}

/** How many bytes of an upload the server has. Throws Problem where it has none of it any more. */
export async function reached(address: string, signal?: AbortSignal): Promise<number> {
  const response = await send(address, { method: "HEAD", signal });
  if (!response.ok) throw new Problem(response.status, "NOT_FOUND", "", "");
  return Number(response.headers.get("Upload-Offset"));
}

/** Give an upload up. */
export async function giveUp(address: string): Promise<void> {
  await send(address, { method: "DELETE" }).catch(() => undefined);
}

/** Several files as one dataset, side by side; in one piece. */
export async function uploadTogether(files: File[], watcher: Pick<Watcher, "signal">): Promise<Dataset> {
  const form = new FormData();
  for (const file of files) form.append("file", file, file.name);
  const response = await send("/v1/datasets", { method: "POST", body: form, signal: watcher.signal });
  if (!response.ok) throw await refused(response);
  return (await response.json()) as Dataset;
}
