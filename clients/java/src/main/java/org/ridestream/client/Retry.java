package org.ridestream.client;

import io.grpc.Status;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whether the same call may succeed later. Every call of a rider is idempotent, so what may have
 * been lost is asked again. Remembers the token that was refused: only another one is worth a try.
 * Not thread-safe.
 */
final class Retry {
  /** CANCELLED: the far end of a proxy went away. */
  private static final Set<Status.Code> AGAIN =
      EnumSet.of(Status.Code.UNAVAILABLE, Status.Code.DEADLINE_EXCEEDED, Status.Code.CANCELLED);

  private Connection.@Nullable Proof refused;

  boolean mayHelp(CallFailedException error, Connection.Proof proof) {
    if (Thread.currentThread().isInterrupted()) return false;
    if (error.code() == Status.Code.UNAUTHENTICATED) {
      boolean isFresh = !proof.equals(refused);
      refused = proof;
      return isFresh;
    }
    return AGAIN.contains(error.code()) || error.retryAfter() != null;
  }
}
