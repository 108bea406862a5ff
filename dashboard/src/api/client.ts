/** The one client of the API. Its types come from the OpenAPI document, so a call that the API does not know is a type error. */
import { signal } from "@preact/signals";
import createClient, { type Middleware } from "openapi-fetch";
import { language } from "~/text/language";
import { Problem, problemOf } from "./problem";
import type { components, paths } from "./schema";

export type Schema = components["schemas"];

/** Counts the answers that asked for a key; the page then asks the reader for one. */
export const keyAsked = signal(0);

const inLanguage: Middleware = {
  onRequest({ request }) {
    request.headers.set("Accept-Language", language.peek());
    return request;
  },
  onResponse({ response }) {
    if (response.status === 401) keyAsked.value += 1;
  },
};

export const api = createClient<paths>({ baseUrl: location.origin, credentials: "same-origin" });
api.use(inLanguage);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of an answer. Throws Problem where the API refused or did not answer. */
export async function body<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === "AbortError") throw thrown;
    throw new Problem(0, "UNREACHABLE", String(thrown), "");
  }
  if (!answer.response.ok) throw problemOf(answer.response.status, answer.error);
  return answer.data as T;
}

/** A new value for the header Idempotency-Key: the same for each try of one wish, so that nothing is made twice. */
export function idempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
