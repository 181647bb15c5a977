import { afterEach, expect, test, vi } from "vitest";
import { kNoSession, mayActAs, personsId, readSession, signOut } from "./session.js";

afterEach(() => vi.unstubAllGlobals());

function answerWith(status: number, body: unknown) {
  const fetch = vi.fn(async () => new Response(JSON.stringify(body), { status }));
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

test("reads whether there is a session, whose it is, and where to sign in", async () => {
  const { signal } = new AbortController();
  answerWith(200, {});
  expect(await readSession(signal)).toEqual(kNoSession);
  answerWith(200, { signIn: "/sign-in/start" });
  expect(await readSession(signal)).toEqual({ ...kNoSession, signIn: "/sign-in/start" });
  answerWith(200, { session: {} });
  expect(await readSession(signal)).toEqual({ ...kNoSession, isOpen: true });
  answerWith(200, { signIn: "/sign-in/start", session: { caller: "rider/ada" } });
  expect(await readSession(signal)).toEqual({
    ...kNoSession,
    signIn: "/sign-in/start",
    isOpen: true,
    person: "rider/ada",
  });
  answerWith(200, { traceUrl: "http://t/{trace_id}" });
  expect((await readSession(signal)).traceUrl).toBe("http://t/{trace_id}");
  answerWith(503, {});
  await expect(readSession(signal)).rejects.toThrow("503");
});

test("a person has one role, and everybody else all", () => {
  const ada = { ...kNoSession, isOpen: true, person: "rider/ada" as const };
  expect([mayActAs("rider", ada), mayActAs("driver", ada)]).toEqual([true, false]);
  expect([personsId("rider", ada), personsId("driver", ada)]).toEqual(["ada", null]);
  expect([mayActAs("rider", kNoSession), personsId("rider", kNoSession)]).toEqual([true, null]);
});

test("signs out by a request that other sites can't make", async () => {
  const fetch = answerWith(200, {});
  await signOut();
  expect(fetch).toHaveBeenCalledWith("/sign-out", { method: "POST" });
  answerWith(403, {});
  await expect(signOut()).rejects.toThrow("403");
});
