package org.ridestream.client;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.ridestream.dispatch.v1.DispatchServiceGrpc;
import org.ridestream.dispatch.v1.DriveRequest;
import org.ridestream.dispatch.v1.DriveResponse;
import org.ridestream.dispatch.v1.Goodbye;
import org.ridestream.dispatch.v1.Hello;

/**
 * One Drive call, on a new connection, because an existing one may be half-open. Used only in the
 * loop's thread, in which it also calls its owner.
 */
final class DriveCall implements ClientResponseObserver<DriveRequest, DriveResponse> {
  private static final double WELCOME_WITHIN_S = 10;

  /** The owner of a call. */
  interface Owner {
    /** Handles the first message. */
    void onWelcome(DriveResponse message);

    /** Handles any later message except Goodbye. */
    void onPush(DriveResponse message);

    /** Seconds of silence after which the service is considered dead. */
    double silenceSeconds();

    /** Returns the request to send now, or null. */
    @Nullable DriveRequest nextRequest(long now);

    /** Returns the nanoseconds until the next request is due, if none is due now. */
    long dueIn(long now);

    /** Called once, unless the call is closed: by a Goodbye, a failure, or neither after OK. */
    void onEnd(@Nullable Goodbye goodbye, @Nullable RuntimeException failure);
  }

  private final Owner owner;
  private final ScheduledExecutorService loop;
  private final ManagedChannel channel;
  private @Nullable ClientCallStreamObserver<DriveRequest> requests;
  private @Nullable Future<?> silenceTimer;
  private @Nullable Future<?> sendTimer;
  private long heardAt = System.nanoTime();
  private boolean live;
  private boolean ended;

  DriveCall(Owner owner, ScheduledExecutorService loop, ManagedChannel channel) {
    this.owner = owner;
    this.loop = loop;
    this.channel = channel;
  }

  void start(Connection.Proof proof, Hello hello) {
    CallOptions options = CallOptions.DEFAULT.withExecutor(loop);
    var call =
        proof.in(channel, hello.getMarket()).newCall(DispatchServiceGrpc.getDriveMethod(), options);
    watchSilence();
    ClientCalls.asyncBidiStreamingCall(call, this)
        .onNext(DriveRequest.newBuilder().setHello(hello).build());
  }

  /** Ends the call without notifying its owner. */
  void close() {
    ended = true;
    if (silenceTimer != null) silenceTimer.cancel(false);
    if (sendTimer != null) sendTimer.cancel(false);
    channel.shutdownNow();
  }

  /** Sends pending requests; runs again when the next is due or the connection accepts more. */
  void flush() {
    if (!live || ended || requests == null) return;
    if (sendTimer != null) sendTimer.cancel(false);
    while (requests.isReady()) {
      long now = System.nanoTime();
      DriveRequest request = owner.nextRequest(now);
      if (request == null) {
        sendTimer = loop.schedule(this::flush, owner.dueIn(now), TimeUnit.NANOSECONDS);
        return;
      }
      requests.onNext(request);
    }
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<DriveRequest> stream) {
    requests = stream;
    stream.setOnReadyHandler(this::flush);
  }

  @Override
  public void onNext(DriveResponse message) {
    if (ended) return;
    heardAt = System.nanoTime();
    try {
      if (!live) {
        owner.onWelcome(message);
        live = true;
        watchSilence();
      } else if (message.hasGoodbye()) {
        end(message.getGoodbye(), null);
      } else {
        owner.onPush(message);
      }
    } catch (RuntimeException failure) {
      end(null, failure);
    }
    flush();
  }

  @Override
  public void onError(Throwable failure) {
    end(null, Statuses.exceptionOf(failure, DispatchServiceGrpc.getDriveMethod()));
  }

  @Override
  public void onCompleted() {
    end(null, null);
  }

  private void end(@Nullable Goodbye goodbye, @Nullable RuntimeException failure) {
    if (ended) return;
    close();
    owner.onEnd(goodbye, failure);
  }

  private void watchSilence() {
    if (silenceTimer != null) silenceTimer.cancel(false);
    double limitS = live ? owner.silenceSeconds() : WELCOME_WITHIN_S;
    long left = heardAt + Math.round(limitS * 1e9) - System.nanoTime();
    if (left > 0) {
      silenceTimer = loop.schedule(this::watchSilence, left, TimeUnit.NANOSECONDS);
      return;
    }
    String why = String.format("the service said nothing for %.1f s", limitS);
    end(null, new CallFailedException(Status.Code.DEADLINE_EXCEEDED, why, null));
  }
}
