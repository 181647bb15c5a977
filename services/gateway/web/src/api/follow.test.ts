import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { follow, type Link } from "./follow.js";

/** The script of one attempt: yields the messages, then ends or throws. */
type Opening = readonly [messages: readonly number[], end: Code | "ok"];

async function followThrough(openings: readonly Opening[], more: { endsWithOk?: boolean } = {}) {
  const stop = new AbortController();
  const left = [...openings];
  const messages: number[] = [];
  const links: Link[] = [];
  const pauses: number[] = [];
  await follow<number>({
    open: async function* () {
      const [given, end] = left.shift() as Opening;
      yield* given;
      if (end !== "ok") throw new ConnectError("broken", end);
    },
    onMessage: (message) => messages.push(message),
    onLink: (link) => links.push(link),
    signal: stop.signal,
    pause: async (ms) => {
      pauses.push(ms);
      if (left.length === 0) stop.abort();
    },
    random: () => 1,
    ...more,
  });
  return { messages, kinds: links.map((link) => link.kind), pauses };
}

test("reopens a broken stream, which is live with the next message", async () => {
  const seen = await followThrough([
    [[1, 2], Code.Unavailable],
    [[3], Code.Unavailable],
  ]);
  expect(seen.messages).toEqual([1, 2, 3]);
  expect(seen.kinds).toEqual(["connecting", "live", "lost", "live", "lost"]);
});

test("pauses grow without messages, and start again after a message", async () => {
  const broken: Opening = [[], Code.Unavailable];
  const seen = await followThrough([
    ...Array<Opening>(6).fill(broken),
    [[1], Code.Unavailable],
    broken,
  ]);
  expect(seen.pauses).toEqual([500, 1000, 2000, 4000, 5000, 5000, 500, 1000]);
});

test("an error that another attempt would get again ends the stream", async () => {
  const seen = await followThrough([[[1], Code.PermissionDenied]]);
  expect(seen.kinds).toEqual(["connecting", "live", "ended"]);
});

test("a stream whose proof has ended is opened again, once without success", async () => {
  const seen = await followThrough([
    [[1], Code.Unauthenticated],
    [[2], Code.Unauthenticated],
    [[], Code.Unauthenticated],
  ]);
  expect(seen.messages).toEqual([1, 2]);
  expect(seen.kinds).toEqual(["connecting", "live", "lost", "live", "lost", "ended"]);
});

test("status OK ends a stream that has an end, and is a break of any other", async () => {
  expect((await followThrough([[[1], "ok"]], { endsWithOk: true })).kinds.at(-1)).toBe("ended");
  expect((await followThrough([[[1], "ok"]])).kinds.at(-1)).toBe("lost");
});

test("an abort while the stream is open is silent", async () => {
  const stop = new AbortController();
  const onLink = vi.fn();
  await follow<number>({
    open: async function* () {
      stop.abort();
      throw new ConnectError("aborted", Code.Canceled);
    },
    onMessage: () => {},
    onLink,
    signal: stop.signal,
  });
  expect(onLink.mock.calls).toEqual([[{ kind: "connecting" }]]);
});
