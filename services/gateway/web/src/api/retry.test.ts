import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { retry } from "./retry.js";

async function attemptsAfter(error: ConnectError): Promise<number> {
  let attempts = 0;
  const call = () => {
    ++attempts;
    return attempts === 1 ? Promise.reject(error) : Promise.resolve(attempts);
  };
  const { signal } = new AbortController();
  return retry(call, { signal, pause: () => Promise.resolve() }).catch(() => attempts);
}

test("repeats a call that was refused for a while, and none that will be refused again", async () => {
  const busy = new ConnectError("busy", Code.ResourceExhausted, { "retry-after-ms": "100" });
  expect(await attemptsAfter(busy)).toBe(2);
  expect(await attemptsAfter(new ConnectError("away", Code.Unavailable))).toBe(2);
  expect(await attemptsAfter(new ConnectError("draining", Code.Canceled))).toBe(2);
  const tooLarge = new ConnectError("larger than max (9 vs. 8)", Code.ResourceExhausted);
  expect(await attemptsAfter(tooLarge)).toBe(1);
  expect(await attemptsAfter(new ConnectError("bad", Code.InvalidArgument))).toBe(1);
});
