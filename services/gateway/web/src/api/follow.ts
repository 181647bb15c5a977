import { Code, ConnectError } from "@connectrpc/connect";

/** How it stands with something that is followed. */
export type Link =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Broken; tried again at `retryAtMs` (Date.now()). */
  | { readonly kind: "lost"; readonly error: string; readonly retryAtMs: number }
  /** Over: the server ended it, or trying again makes no sense. */
  | { readonly kind: "ended"; readonly error: string | null };

export interface Pause {
  /** Resolves after so long, or at once when aborted or woken. */
  (ms: number, signal: AbortSignal): Promise<void>;
}

export interface FollowOptions<T> {
  /** Opens the stream, anew after each break: it asks for what is still missing. */
  readonly open: (signal: AbortSignal) => AsyncIterable<T>;
  readonly onMessage: (message: T) => void;
  readonly onLink: (link: Link) => void;
  readonly signal: AbortSignal;
  /** Whether the server's OK is the end (a trip that is over) or just a break (a drain). */
  readonly endsWithOk?: boolean;
  /** Asked for errors that aren't worth another try; true if the next try may do better. */
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

/** Follows a server stream through every break, with growing and jittered pauses, until `signal`. */
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
    if (kHopeless.has(error.code) && !options.recover?.(error)) {
      return onLink({ kind: "ended", error: error.rawMessage });
    }
    breaks = Math.max(breaks, 0) + 1;
    const longest = Math.min(kFirstPauseMs * 2 ** (breaks - 1), kLongestPauseMs);
    const ms = longest * (0.5 + random() / 2);
    onLink({ kind: "lost", error: error.rawMessage, retryAtMs: Date.now() + ms });
    await pause(ms, signal);
  }
}

/** By the wall's clock. The browser's word that the network is back ends it early. */
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
