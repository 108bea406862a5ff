/** Whom the page speaks for: a key is asked for where one is needed, and given away for a cookie that no script sees. */
import { effect, signal } from "@preact/signals";
import { api, body, keyAsked, type Schema } from "~/api/client";

export type Session = Schema["SessionResource"];

/** What the server said last; undefined until it has. */
export const session = signal<Session | undefined>(undefined);

/** Counts the times that the reader became another: what a view has asked for, it asks for again. */
export const signedIn = signal(0);

/** Whether nothing can be done until the reader gives a key. */
export const isKeyMissing = signal(false);

/** The other tabs of this browser, which have the same cookie. */
const tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("vidro.session");

let asked: Promise<void> | undefined;

/** Ask who the reader is; at most one question is under way. */
export function look(): Promise<void> {
  asked ??= body(api.GET("/v1/session"))
    .then(become)
    .catch(() => undefined) // it does not answer: the views say so
    .finally(() => {
      asked = undefined;
    });
  return asked;
}

function become(found: Session): void {
  const before = session.peek();
  session.value = found;
  isKeyMissing.value = found.owner === null;
  const isOther = before !== undefined && (before.owner !== found.owner || before.key_id !== found.key_id);
  if (isOther && found.owner !== null) signedIn.value += 1;
}

/** Sign in. Throws Problem where the key is not known. */
export async function signIn(key: string): Promise<void> {
  become(await body(api.POST("/v1/session", { body: { key } })));
  tabs?.postMessage("changed");
}

/** Sign out, and forget all that the page has loaded. */
export async function signOut(): Promise<void> {
  const { response } = await api.DELETE("/v1/session");
  tabs?.postMessage("changed");
  if (response.ok) location.reload();
}

effect(() => {
  if (keyAsked.value > 0) void look();
});
tabs?.addEventListener("message", () => void look());
