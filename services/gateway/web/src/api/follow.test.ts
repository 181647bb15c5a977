import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { follow, type Link } from "./follow.js";

/** What one opening of the stream does: gives these, then ends or throws. */
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

test("a broken stream is opened again, and is live with the next message", async () => {
  const seen = await followThrough([
    [[1, 2], Code.Unavailable],
    [[3], Code.Unavailable],
  ]);
  expect(seen.messages).toEqual([1, 2, 3]);
  expect(seen.kinds).toEqual(["connecting", "live", "lost", "live", "lost"]);
});

test("pauses grow while nothing comes, and begin anew after a message", async () => {
  const broken: Opening = [[], Code.Unavailable];
  const seen = await followThrough([
    ...Array<Opening>(6).fill(broken),
    [[1], Code.Unavailable],
    broken,
  ]);
  expect(seen.pauses).toEqual([500, 1000, 2000, 4000, 5000, 5000, 500, 1000]);
});

test("an error that another try would get again ends it", async () => {
  const seen = await followThrough([[[1], Code.PermissionDenied]]);
  expect(seen.kinds).toEqual(["connecting", "live", "ended"]);
});

test("OK ends what has an end, and breaks what has none", async () => {
  expect((await followThrough([[[1], "ok"]], { endsWithOk: true })).kinds.at(-1)).toBe("ended");
  expect((await followThrough([[[1], "ok"]])).kinds.at(-1)).toBe("lost");
});

test("a stop while it is open is silent", async () => {
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
