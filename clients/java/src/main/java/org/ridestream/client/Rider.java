package org.ridestream.client;

import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.ridestream.market.v1.ListMarketsRequest;
import org.ridestream.market.v1.Market;
import org.ridestream.market.v1.MarketServiceGrpc;
import org.ridestream.trip.v1.CancelReason;
import org.ridestream.trip.v1.CancelTripRequest;
import org.ridestream.trip.v1.ChangeDestinationRequest;
import org.ridestream.trip.v1.GetTripRequest;
import org.ridestream.trip.v1.QuoteTripRequest;
import org.ridestream.trip.v1.QuoteTripResponse;
import org.ridestream.trip.v1.RequestTripRequest;
import org.ridestream.trip.v1.Trip;
import org.ridestream.trip.v1.TripServiceGrpc;

/**
 * A rider: quotes, requests, watches, changes and cancels trips.
 *
 * <p>Calls block. Those that may succeed later are retried for {@code patience}; then, and for
 * every other status, they throw {@link CallFailedException}. Arguments that the service would
 * refuse throw {@link InvalidArgumentException} before a call is sent. {@link ProtocolException}
 * means that the service violated the protocol. Interrupting a thread ends its call with CANCELLED.
 * Thread-safe.
 */
public final class Rider implements AutoCloseable {
  private static final Duration DEFAULT_PATIENCE = Duration.ofSeconds(30);
  private static final long GRACE_S = 5;

  private final Connection connection;
  private final Duration patience;
  private final CountDownLatch closed = new CountDownLatch(1);
  private @Nullable ManagedChannel channel; // Guarded by this.

  /** Connects at the first call. Its patience is 30 s. */
  public Rider(Connection connection) {
    this(connection, DEFAULT_PATIENCE);
  }

  public Rider(Connection connection, Duration patience) {
    this.connection = connection;
    this.patience = patience;
  }

  /** Ends running calls, except those that watch a trip. */
  @Override
  public synchronized void close() {
    closed.countDown();
    if (channel != null) channel.shutdownNow();
  }

  /** Returns the served markets and their bounds. */
  public List<Market> markets() {
    return call(
        MarketServiceGrpc.getListMarketsMethod(), ListMarketsRequest.getDefaultInstance(), 1, null)
        .getMarketsList();
  }

  /** Returns the price of a ride, valid until {@code expires_at}. A party has 1 to 8 people. */
  public QuoteTripResponse quote(QuoteTripRequest request) {
    Checks.id(request.getMarket(), "market");
    Checks.place(request.hasPickup(), request.getPickup(), "pickup");
    Checks.place(request.hasDropoff(), request.getDropoff(), "dropoff");
    long party = Integer.toUnsignedLong(request.getPartySize());
    Checks.range(party, 1, Checks.MAX_SEATS, "party_size");
    QuoteTripResponse quote =
        call(TripServiceGrpc.getQuoteTripMethod(), request, 2, request.getMarket());
    if (quote.getQuoteId().isEmpty()) throw new ProtocolException("quote_id: is empty");
    return quote;
  }

  /**
   * Requests the ride. If {@code request_id} is empty, one is generated. An app that may be
   * terminated meanwhile should choose and store it: a repeated request with the same id returns
   * the same trip.
   */
  public Trip request(RequestTripRequest request) {
    if (request.getRequestId().isEmpty()) {
      request = request.toBuilder().setRequestId(newId()).build();
    }
    Checks.id(request.getRequestId(), "request_id");
    Checks.id(request.getQuoteId(), "quote_id");
    Checks.text(request.getRiderName(), Checks.MAX_NAME, "rider_name");
    Checks.text(request.getNote(), Checks.MAX_TEXT, "note");
    return checked(call(TripServiceGrpc.getRequestTripMethod(), request, 5, null).getTrip(), "");
  }

  /** Ends the trip before its drop-off, because the rider changed their mind. */
  public Trip cancel(String tripId) {
    return cancel(CancelTripRequest.newBuilder()
                      .setTripId(tripId)
                      .setReason(CancelReason.CANCEL_REASON_CHANGED_MIND)
                      .build());
  }

  /** Ends the trip before its drop-off. Generates a {@code request_id} if it is empty. */
  public Trip cancel(CancelTripRequest request) {
    if (request.getRequestId().isEmpty()) {
      request = request.toBuilder().setRequestId(newId()).build();
    }
    Checks.id(request.getRequestId(), "request_id");
    Checks.id(request.getTripId(), "trip_id");
    if (request.getReason() == CancelReason.CANCEL_REASON_UNSPECIFIED
        || request.getReason() == CancelReason.UNRECOGNIZED) {
      throw Checks.invalid("reason: must be one of its named values other than UNSPECIFIED, is %d",
          request.getReasonValue());
    }
    Checks.text(request.getComment(), Checks.MAX_TEXT, "comment");
    if (request.getReason() == CancelReason.CANCEL_REASON_NO_SHOW) {
      throw Checks.invalid("reason: NO_SHOW is set only where a driver releases a trip");
    }
    Trip trip = call(TripServiceGrpc.getCancelTripMethod(), request, 5, null).getTrip();
    return checked(trip, request.getTripId());
  }

  /**
   * Changes the trip's drop-off, also during the ride. The returned trip has the new fare. If
   * {@code request_id} is empty, one is generated.
   */
  public Trip changeDestination(ChangeDestinationRequest request) {
    if (request.getRequestId().isEmpty()) {
      request = request.toBuilder().setRequestId(newId()).build();
    }
    Checks.id(request.getRequestId(), "request_id");
    Checks.id(request.getTripId(), "trip_id");
    Checks.place(request.hasDropoff(), request.getDropoff(), "dropoff");
    Trip trip = call(TripServiceGrpc.getChangeDestinationMethod(), request, 5, null).getTrip();
    return checked(trip, request.getTripId());
  }

  /** Returns the stored trip. */
  public Trip get(String tripId) {
    Checks.id(tripId, "trip_id");
    GetTripRequest request = GetTripRequest.newBuilder().setTripId(tripId).build();
    return checked(call(TripServiceGrpc.getGetTripMethod(), request, 1, null).getTrip(), tripId);
  }

  /** Watches the trip, from now until it has ended. */
  public TripWatch watch(String tripId) {
    Checks.id(tripId, "trip_id");
    return new TripWatch(connection, tripId);
  }

  private static String newId() {
    return UUID.randomUUID().toString();
  }

  /** Returns the trip if its id is the requested one; an empty id accepts any. */
  static Trip checked(Trip trip, String tripId) {
    if (trip.getTripId().isEmpty() || !(tripId.isEmpty() || trip.getTripId().equals(tripId))) {
      String wanted = tripId.isEmpty() ? "a new trip" : tripId;
      throw new ProtocolException(
          String.format("trip.trip_id: '%s' came for '%s'", trip.getTripId(), wanted));
    }
    return trip;
  }

  /** Retries until success, a permanent failure or the end of patience, with deadlines per try. */
  private <Q, R> R call(
      MethodDescriptor<Q, R> method, Q request, long deadlineS, @Nullable String market) {
    Backoff backoff = new Backoff();
    Retry retry = new Retry();
    long end = System.nanoTime() + patience.toNanos();
    while (true) {
      Connection.Proof proof = connection.prove();
      ManagedChannel channel = open();
      long left = Math.min(TimeUnit.SECONDS.toNanos(deadlineS), end - System.nanoTime());
      CallOptions options =
          CallOptions.DEFAULT.withDeadlineAfter(Math.max(1_000_000, left), TimeUnit.NANOSECONDS);
      try {
        return ClientCalls.blockingUnaryCall(proof.in(channel, market), method, options, request);
      } catch (StatusRuntimeException failure) {
        RidestreamException error = Statuses.exceptionOf(failure, method);
        if (!(error instanceof CallFailedException status)) throw error;
        Duration pause = backoff.next(status.retryAfter());
        boolean inTime = System.nanoTime() + pause.toNanos() - end < 0;
        if (!retry.mayHelp(status, proof) || !inTime) throw status;
        boolean isOpen = channel.getState(false) == ConnectivityState.READY;
        if (status.code() == Status.Code.DEADLINE_EXCEEDED && isOpen) {
          drop(channel); // Its connection may be half-open.
        } else {
          channel.resetConnectBackoff(); // Its own backoff would be added to ours.
        }
        if (sleep(closed, pause)) throw isClosed();
      }
    }
  }

  /** Whether the latch opened before the pause was over, or the thread was interrupted. */
  static boolean sleep(CountDownLatch latch, Duration pause) {
    try {
      return latch.await(pause.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  static CallFailedException isClosed() {
    boolean interrupted = Thread.currentThread().isInterrupted();
    String why = interrupted ? "the thread was interrupted" : "the rider was closed";
    return new CallFailedException(Status.Code.CANCELLED, why, null);
  }

  private synchronized ManagedChannel open() {
    if (closed.getCount() == 0) throw isClosed();
    if (channel == null) channel = connection.open();
    return channel;
  }

  /** Makes the next call open a new channel. Calls on this one have some time to finish. */
  private synchronized void drop(ManagedChannel old) {
    if (channel != old) return;
    channel = null;
    old.shutdown();
    CompletableFuture.delayedExecutor(GRACE_S, TimeUnit.SECONDS).execute(old::shutdownNow);
  }
}
