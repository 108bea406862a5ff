/** Files on their way to the server, whichever view is shown, and those that a reload has cut off. */
import { signal } from "@preact/signals";
import { asProblem, type Problem } from "~/api/problem";
import { giveUp, reached, upload, uploadTogether, type Dataset } from "~/api/upload";

export interface Upload {
  key: number;
  name: string;
  bytes: number;
  sent: number;
  state: "sending" | "waiting" | "reading" | "done" | "failed";
  dataset?: Dataset;
  problem?: Problem;
}

/** An upload that was begun before the page was loaded: the file has to be chosen again for it to go on. */
export interface CutOff {
  address: string;
  name: string;
  bytes: number;
  modified: number;
  sent: number;
}

const STORED = "vidro.uploads";
export const uploads = signal<Upload[]>([]);
export const cutOff = signal<CutOff[]>([]);
const aborts = new Map<number, { abort: AbortController; address?: string }>();
let count = 0;

function stored(): Omit<CutOff, "sent">[] {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? "[]") as Omit<CutOff, "sent">[];
  } catch {
    return [];
  }
}

function remember(entry: Omit<CutOff, "sent">): void {
  localStorage.setItem(STORED, JSON.stringify([...stored().filter((other) => other.address !== entry.address), entry]));
}

function forget(address: string | undefined): void {
  if (address === undefined) return;
  localStorage.setItem(STORED, JSON.stringify(stored().filter((entry) => entry.address !== address)));
  cutOff.value = cutOff.peek().filter((entry) => entry.address !== address);
}

const change = (key: number, changes: Partial<Upload>) => {
  uploads.value = uploads.peek().map((entry) => (entry.key === key ? { ...entry, ...changes } : entry));
};

/** Ask which of the uploads begun before are still there. */
export async function findCutOff(): Promise<void> {
  const going = new Set([...aborts.values()].map((entry) => entry.address));
  const found: CutOff[] = [];
  for (const entry of stored()) {
    if (going.has(entry.address)) continue;
    try {
      found.push({ ...entry, sent: await reached(entry.address) });
    } catch (thrown) {
      if (asProblem(thrown).status === 404) forget(entry.address);
    }
  }
  cutOff.value = found;
}

function begin(name: string, bytes: number): { key: number; abort: AbortController } {
  const key = (count += 1);
  const abort = new AbortController();
  aborts.set(key, { abort });
  uploads.value = [...uploads.peek(), { key, name, bytes, sent: 0, state: "sending" }];
  return { key, abort };
}

async function finish(key: number, work: Promise<Dataset>): Promise<Dataset | undefined> {
  try {
    const dataset = await work;
    change(key, { state: "done", dataset });
    forget(aborts.get(key)?.address);
    return dataset;
  } catch (thrown) {
    const isGivenUp = thrown instanceof DOMException && thrown.name === "AbortError";
    if (isGivenUp) uploads.value = uploads.peek().filter((entry) => entry.key !== key);
    else change(key, { state: "failed", problem: asProblem(thrown) });
    forget(aborts.get(key)?.address);
    return undefined;
  } finally {
    aborts.delete(key);
  }
}

/** Send a file; it goes on where an upload of the same file was cut off. Undefined where it was given up or refused. */
export function sendFile(file: File): Promise<Dataset | undefined> {
  const before = cutOff.peek().find((entry) => entry.name === file.name && entry.bytes === file.size && entry.modified === file.lastModified);
  const { key, abort } = begin(file.name, file.size);
  if (before) cutOff.value = cutOff.peek().filter((entry) => entry !== before);
  const onSent = ({ address, offset }: { address: string; offset: number }) => {
    const entry = aborts.get(key);
    if (entry && entry.address === undefined) {
      entry.address = address;
      remember({ address, name: file.name, bytes: file.size, modified: file.lastModified });
    }
    // What is sent last is answered once all of it has been read.
    change(key, { sent: offset, state: file.size - offset <= 0 ? "reading" : "sending" });
  };
  const onWaiting = (isWaiting: boolean) => change(key, { state: isWaiting ? "waiting" : "sending" });
  return finish(key, upload(file, {}, { signal: abort.signal, onSent, onWaiting }, before?.address));
}

/** Send several files that become one dataset. */
export function sendTogether(files: File[]): Promise<Dataset | undefined> {
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  const { key, abort } = begin(files.map((file) => file.name).join(" + "), bytes);
  change(key, { sent: bytes, state: "reading" });
  return finish(key, uploadTogether(files, { signal: abort.signal }));
}

/** Give an upload up, and have the server forget what came of it. */
export async function cancelUpload(key: number): Promise<void> {
  const entry = aborts.get(key);
  entry?.abort.abort();
  if (entry?.address) await giveUp(entry.address);
}

/** Take an upload that has ended off the list. */
export function dismissUpload(key: number): void {
  uploads.value = uploads.peek().filter((entry) => entry.key !== key);
}

/** Give up an upload that a reload has cut off. */
export async function giveUpCutOff(address: string): Promise<void> {
  forget(address);
  await giveUp(address);
}
