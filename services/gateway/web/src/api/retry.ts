import { Code, ConnectError } from "@connectrpc/connect";
import { wallPause, type Pause } from "./follow.js";

/** Errors after which an idempotent call can be repeated unchanged. */
const kTransient = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  // A server that begins to drain may refuse a call so.
  Code.Canceled,
  // Errors of fetch after a broken connection.
  Code.Unknown,
  Code.Internal,
]);

/** Without a pause in it, RESOURCE_EXHAUSTED says that the message is too large. */
function isTransient(error: ConnectError): boolean {
  if (error.code === Code.ResourceExhausted) return error.metadata.has("retry-after-ms");
  return kTransient.has(error.code);
}

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** Called after each failure that another attempt follows. */
  readonly onRetry?: (error: ConnectError, pauseMs: number) => void;
  readonly attempts?: number;
  readonly pause?: Pause;
}

/** Makes an idempotent call until it succeeds, at most `attempts` times. Throws a ConnectError. */
export async function retry<T>(call: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, attempts = 6, pause = wallPause } = options;
  for (let attempt = 1; ; ++attempt) {
    try {
      return await call();
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      if (signal.aborted || attempt >= attempts || !isTransient(error)) throw error;
      const pauseMs = Math.min(300 * 2 ** attempt, 5_000) * (0.5 + Math.random() / 2);
      options.onRetry?.(error, pauseMs);
      await pause(pauseMs, signal);
    }
  }
}
