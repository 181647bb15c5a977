import { Code, ConnectError } from "@connectrpc/connect";

/** The state of a followed stream. */
export type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Broken. The next attempt is at `retryAtMs` (Date.now()). */
  | { readonly kind: "lost"; readonly error: string; readonly retryAtMs: number }
  /** Over: the server ended the stream, or another attempt would fail in the same way. */
  | { readonly kind: "ended"; readonly error: string | null };

export interface Pause {
  /** Resolves after `ms`, or at once when aborted. */
  (ms: number, signal: AbortSignal): Promise<void>;
}

export interface FollowOptions<T> {
  /** Opens the stream, again after each break. It asks for the messages that are still missing. */
  readonly open: (signal: AbortSignal) => AsyncIterable<T>;
  readonly onMessage: (message: T) => void;
  readonly onLink: (link: Link) => void;
  readonly signal: AbortSignal;
  /** Whether status OK is the end (a trip is over) or a break (a server drains). */
  readonly endsWithOk?: boolean;
  /** Called for errors that another attempt would get again. Returns true if it made the next attempt
   * worthwhile. */
  readonly recover?: (error: ConnectError) => boolean;
  readonly pause?: Pause;
  readonly random?: () => number;
}

const kFirstPauseMs = 500;
const kLongestPauseMs = 5_000;

/** Errors that the same call would get again. */
const kHopeless = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.Unimplemented,
  Code.OutOfRange,
]);

/** Follows a server stream until `signal`. Reopens it after each break, with growing and jittered
 * pauses. */
export async function follow<T>(options: FollowOptions<T>): Promise<void> {
  const { signal, onLink } = options;
  const pause = options.pause ?? wallPause;
  const random = options.random ?? Math.random;
  let breaks = 0;
  onLink({ kind: "connecting" });
  while (!signal.aborted) {
    let error: ConnectError;
    try {
      for await (const message of options.open(signal)) {
        if (signal.aborted) return;
        if (breaks >= 0) onLink({ kind: "live" });
        breaks = -1;
        options.onMessage(message);
      }
      if (options.endsWithOk) return onLink({ kind: "ended", error: null });
      error = new ConnectError("the stream ended", Code.Unavailable);
    } catch (thrown) {
      error = ConnectError.from(thrown);
    }
    if (signal.aborted) return;
    // The token of a stream that was open has expired. The next attempt sends a
    // new token.
    const proofEnded = error.code === Code.Unauthenticated && breaks < 0;
    if (kHopeless.has(error.code) && !proofEnded && !options.recover?.(error)) {
      return onLink({ kind: "ended", error: error.rawMessage });
    }
    breaks = Math.max(breaks, 0) + 1;
    const longest = Math.min(kFirstPauseMs * 2 ** (breaks - 1), kLongestPauseMs);
    const ms = longest * (0.5 + random() / 2);
    onLink({ kind: "lost", error: error.rawMessage, retryAtMs: Date.now() + ms });
    await pause(ms, signal);
  }
}

/** A pause in real time. It ends early when the browser reports that the network is back. */
export const wallPause: Pause = (ms, signal) =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      globalThis.removeEventListener?.("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    globalThis.addEventListener?.("online", done);
  });
