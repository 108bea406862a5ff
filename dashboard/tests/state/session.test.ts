import { afterEach, expect, test, vi } from "vitest";
import { api, keyAsked } from "~/api/client";
import { isKeyMissing, look, session, signedIn, signIn } from "~/state/session";

const nobody = { needs_key: true, owner: null, scopes: [], key_id: null, expires_at: null };
const ana = { needs_key: true, owner: "ana", scopes: ["read"], key_id: "key_1", expires_at: "2030-01-01T00:00:00Z" };
const answer = (data: unknown, status = 200) => ({ data: status < 400 ? data : undefined, error: status < 400 ? undefined : data, response: new Response(null, { status }) }) as never;

afterEach(() => {
  vi.restoreAllMocks();
  session.value = undefined;
  isKeyMissing.value = false;
});

test("a key is asked for where one is needed, once, and what was asked for is asked for again", async () => {
  const get = vi.spyOn(api, "GET").mockResolvedValue(answer(nobody));
  keyAsked.value += 1;
  keyAsked.value += 1;
  await look();
  expect(get).toHaveBeenCalledTimes(1);
  expect(isKeyMissing.value).toBe(true);
  const before = signedIn.value;
  vi.spyOn(api, "POST").mockResolvedValue(answer(ana, 201));
  await signIn("vidro_…");
  expect(isKeyMissing.value).toBe(false);
  expect(session.value?.owner).toBe("ana");
  expect(signedIn.value).toBe(before + 1);
});

test("a wrong key is told and asks on", async () => {
  vi.spyOn(api, "GET").mockResolvedValue(answer(nobody));
  await look();
  vi.spyOn(api, "POST").mockResolvedValue(answer({ code: "UNAUTHENTICATED", title: "Unauthenticated", detail: "not known here" }, 401));
  await expect(signIn("guess")).rejects.toThrow("not known here");
  expect(isKeyMissing.value).toBe(true);
});

test("a server that does not answer asks for no key", async () => {
  vi.spyOn(api, "GET").mockRejectedValue(new TypeError("away"));
  await look();
  expect(isKeyMissing.value).toBe(false);
});
