package org.ridestream.client;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.ridestream.trip.v1.TripServiceGrpc;
import org.ridestream.trip.v1.TripState;
import org.ridestream.trip.v1.WatchTripRequest;
import org.ridestream.trip.v1.WatchTripResponse;

/**
 * Yields the trip now and at each change, until it has ended. Reconnects when the stream breaks,
 * and skips states older than the last one. Blocks until a change, and throws the same exceptions
 * as the calls of {@link Rider}.
 *
 * <p>Iterate once, in one thread. {@link #close} may be called in any thread and ends the
 * iteration.
 */
public final class TripWatch
    implements Iterable<WatchTripResponse>, Iterator<WatchTripResponse>, AutoCloseable {
  private static final Set<TripState> ENDED = EnumSet.of(TripState.TRIP_STATE_COMPLETED,
      TripState.TRIP_STATE_CANCELLED, TripState.TRIP_STATE_UNSERVED);

  private final Connection connection;
  private final String tripId;
  private final CountDownLatch closed = new CountDownLatch(1);
  private @Nullable ManagedChannel channel; // Guarded by this.

  // Used only by the iterating thread.
  private final Backoff backoff = new Backoff();
  private final Retry retry = new Retry();
  private Connection.@Nullable Proof proof;
  private @Nullable Iterator<WatchTripResponse> stream;
  private @Nullable WatchTripResponse next;
  private int faults;
  private long version;
  private boolean done;

  TripWatch(Connection connection, String tripId) {
    this.connection = connection;
    this.tripId = tripId;
  }

  @Override
  public Iterator<WatchTripResponse> iterator() {
    return this;
  }

  @Override
  public boolean hasNext() {
    try {
      while (next == null && !done) advance();
    } catch (RidestreamException failure) {
      done = true;
      drop();
      throw failure;
    }
    return next != null;
  }

  @Override
  public WatchTripResponse next() {
    WatchTripResponse update = hasNext() ? next : null;
    if (update == null) throw new NoSuchElementException();
    next = null;
    return update;
  }

  @Override
  public void close() {
    closed.countDown();
    drop();
  }

  /** Waits for one message, or between two streams. */
  private void advance() {
    Duration asked = null;
    try {
      if (stream == null) stream = open();
      if (stream.hasNext()) {
        take(stream.next());
        return;
      }
    } catch (StatusRuntimeException failure) {
      if (closed.getCount() != 0) asked = pauseAfter(failure);
    }
    stream = null;
    drop();
    if (!Rider.sleep(closed, backoff.next(asked))) return;
    done = true;
    if (closed.getCount() != 0) throw Rider.isClosed(); // Interrupted.
  }

  private Iterator<WatchTripResponse> open() {
    proof = connection.prove();
    // A new connection, because an existing one may be half-open.
    ManagedChannel fresh = connection.open();
    synchronized (this) {
      channel = fresh;
      if (closed.getCount() == 0) fresh.shutdownNow();
    }
    return ClientCalls.blockingServerStreamingCall(proof.in(fresh, null),
        TripServiceGrpc.getWatchTripMethod(), CallOptions.DEFAULT,
        WatchTripRequest.newBuilder().setTripId(tripId).build());
  }

  private synchronized void drop() {
    if (channel != null) channel.shutdownNow();
    channel = null;
  }

  private void take(WatchTripResponse update) {
    Rider.checked(update.getTrip(), tripId);
    backoff.reset();
    faults = 0;
    if (update.getTrip().getVersion() < version) return;
    version = update.getTrip().getVersion();
    next = update;
    if (ENDED.contains(update.getTrip().getState())) {
      done = true;
      drop();
    }
  }

  /** Returns the pause that the service requests, or null. Throws if a retry wouldn't help. */
  private @Nullable Duration pauseAfter(StatusRuntimeException failure) {
    RidestreamException error = Statuses.exceptionOf(failure, TripServiceGrpc.getWatchTripMethod());
    if (!(error instanceof CallFailedException status)) throw error;
    boolean isFault =
        Statuses.FAULTS.contains(status.code()) && status.code() != Status.Code.UNIMPLEMENTED;
    faults = isFault ? faults + 1 : 0;
    boolean mayHelp = proof != null && retry.mayHelp(status, proof);
    if (!mayHelp && !(isFault && faults < Statuses.MAX_FAULTS)) throw status;
    return status.retryAfter();
  }
}
