package org.ridestream.client;

import io.grpc.Status;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whether the same call may succeed later. All calls of a rider are idempotent, so retrying is
 * safe if a response was lost. Remembers the token that was refused, because only another one is
 * worth a retry.
 * Not thread-safe.
 */
final class Retry {
  /** CANCELLED: a proxy lost its connection to the service. */
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
