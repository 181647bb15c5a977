package org.ridestream.client;

import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import io.grpc.Status;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.ridestream.dispatch.v1.DriveRequest;
import org.ridestream.dispatch.v1.DriveResponse;
import org.ridestream.dispatch.v1.Goodbye;
import org.ridestream.dispatch.v1.GoodbyeReason;
import org.ridestream.dispatch.v1.Hello;
import org.ridestream.dispatch.v1.Offer;
import org.ridestream.dispatch.v1.Plan;
import org.ridestream.dispatch.v1.Position;
import org.ridestream.dispatch.v1.Snapshot;

/**
 * Keeps a driver's stream open: connects, resumes after breaks, sends messages when they are due,
 * and delivers events to the app. Everything except {@link #view} and the constructor runs in the
 * loop's thread.
 */
final class DriverLoop implements DriveCall.Owner {
  /** Final statuses: the same Hello would get the same answer again. */
  private static final Set<Status.Code> FINAL = EnumSet.of(Status.Code.INVALID_ARGUMENT,
      Status.Code.PERMISSION_DENIED, Status.Code.NOT_FOUND, Status.Code.ABORTED);

  /** Final unless the service asks for a pause: another process is about to serve the market. */
  private static final Set<Status.Code> FINAL_WITHOUT_PAUSE =
      EnumSet.of(Status.Code.FAILED_PRECONDITION, Status.Code.RESOURCE_EXHAUSTED);

  private static final long HEALTHY_AFTER_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final double MAX_PAUSE_S = 600;

  /**
   * The state that other threads may read.
   *
   * @param live whether the stream is open and has received its Welcome
   * @param serverTimeS the service's clock at {@code welcomedAt}, a time of System.nanoTime
   */
  record View(boolean live, @Nullable Plan plan, @Nullable Offer offer, double serverTimeS,
      double clockRate, long welcomedAt) {}

  private final Connection connection;
  private final Hello shift;
  private final ScheduledExecutorService loop;
  private final Executor app;
  private final Consumer<Object> onEvent;
  private final Consumer<@Nullable Throwable> onEnd;

  private final Session session = new Session();
  private final Commands commands = new Commands();
  private final Outbox outbox = new Outbox();
  private final Backoff backoff = new Backoff();
  private final Route route;
  private volatile View view = new View(false, null, null, 0, 1, 0);
  private @Nullable DriveCall call;
  private @Nullable Future<?> reconnect;
  private Connection.@Nullable Proof proof;
  private Connection.@Nullable Proof refused;
  private long beganAt;
  private int faults;
  private boolean delivering;
  private boolean ended;
  private @Nullable Throwable error;

  /** {@code onEvent} and, as the last, {@code onEnd} are called one by one in {@code app}. */
  DriverLoop(Connection connection, Hello shift, ScheduledExecutorService loop, Executor app,
      Consumer<Object> onEvent, Consumer<@Nullable Throwable> onEnd) {
    this.connection = connection;
    this.shift = shift;
    route = new Route(connection.address());
    this.loop = loop;
    this.app = app;
    this.onEvent = onEvent;
    this.onEnd = onEnd;
  }

  View view() {
    return view;
  }

  void connect() {
    if (ended) return;
    beganAt = System.nanoTime();
    try {
      proof = connection.prove();
      call = new DriveCall(this, loop, connection.open(route.address()));
      call.start(proof, session.hello(shift));
    } catch (RuntimeException failure) {
      finish(failure);
    }
  }

  void move(Position position) {
    outbox.move(position, System.nanoTime());
    flush();
  }

  /** Sends the command; {@code result} gets the message that shows its effect. */
  void command(DriveRequest request, CompletableFuture<Message> result) {
    if (ended) {
      Commands.fail(List.of(result), error == null ? new DriverStoppedException() : error);
      return;
    }
    boolean isNew = commands.add(request, result);
    if (isNew && view.live()) {
      outbox.add(request);
      flush();
    }
  }

  /** Closes the stream; the app gets no further events. */
  void close() {
    session.dropUntaken();
    finish(null);
  }

  private void flush() {
    if (call != null) call.flush();
  }

  // Callbacks of the call.

  @Override
  public void onWelcome(DriveResponse message) {
    session.onWelcome(message);
    backoff.reset();
    route.onWelcome();
    Timestamp time = session.welcome().getServerTime();
    View now =
        new View(true, session.plan(), session.offer(), time.getSeconds() + time.getNanos() / 1e9,
            session.welcome().getClockRate(), System.nanoTime());
    view = now;
    outbox.begin(session.welcome().getResumed(),
        session.wallSeconds(session.welcome().getReportEvery()),
        session.wallSeconds(session.welcome().getHeartbeat()), now.welcomedAt());
    Snapshot snapshot = session.welcome().getSnapshot();
    if (snapshot.hasPlan()) commands.onSnapshot(snapshot.getPlan());
    commands.requests().forEach(outbox::add);
    deliver();
  }

  @Override
  public void onPush(DriveResponse message) {
    long sequence = message.getSequence();
    if (sequence != 0 && sequence <= session.lastSequence()) outbox.ackAgain(sequence);
    session.onPush(message, commands.isAnswer(message));
    showChanges(true);
    commands.onPush(message, session.plan());
    deliver();
  }

  @Override
  public double silenceSeconds() {
    // The service sends heartbeats at the interval that it requires from drivers.
    return Math.max(1, 2 * session.wallSeconds(session.welcome().getHeartbeat()));
  }

  @Override
  public @Nullable DriveRequest nextRequest(long now) {
    return outbox.next(session.ack(), now);
  }

  @Override
  public long dueIn(long now) {
    return outbox.dueIn(now);
  }

  @Override
  public void onEnd(@Nullable Goodbye goodbye, @Nullable RuntimeException failure) {
    showChanges(false);
    if (goodbye == null && failure == null && commands.isShiftEnding()) {
      commands.onShiftEnded();
      finish(null);
      return;
    }
    if (failure != null && !(failure instanceof CallFailedException)) {
      finish(failure);
      return;
    }
    boolean proofEnded =
        goodbye != null && goodbye.getReason() == GoodbyeReason.GOODBYE_REASON_PROOF_ENDED;
    CallFailedException status = failure instanceof CallFailedException known
        ? known
        : new CallFailedException(
            proofEnded ? Status.Code.UNAUTHENTICATED : Status.Code.UNAVAILABLE,
            proofEnded ? "the token has ended" : "the service ended the stream", null, null,
            goodbye == null ? null : goodbye.getAddress());
    boolean isFinal = failure != null && isFinal(status);
    // After a Goodbye the token had expired; after another status, so had the next one.
    if (status.code() == Status.Code.UNAUTHENTICATED) {
      isFinal |= failure != null && proof != null && proof.equals(refused);
      refused = proof;
    }
    countFaults(status.code());
    if (isFinal || faults >= Statuses.MAX_FAULTS) {
      finish(status);
      return;
    }
    pause(status, goodbye);
  }

  private static boolean isFinal(CallFailedException status) {
    return FINAL.contains(status.code())
        || (status.retryAfter() == null && FINAL_WITHOUT_PAUSE.contains(status.code()));
  }

  private void countFaults(Status.Code code) {
    boolean isFault = Statuses.FAULTS.contains(code);
    if (!isFault || System.nanoTime() - beganAt >= HEALTHY_AFTER_NANOS) faults = 0;
    if (isFault) faults++;
  }

  /** Reconnects after the pause that the service requests, or a random one. */
  private void pause(CallFailedException status, @Nullable Goodbye goodbye) {
    Duration asked = status.retryAfter();
    if (goodbye != null) {
      double seconds = session.wallSeconds(goodbye.getReconnectAfter());
      if (!(seconds >= 0 && seconds <= MAX_PAUSE_S)) {
        finish(new ProtocolException(String.format("a pause of %.1f s was asked for", seconds)));
        return;
      }
      asked = Duration.ofNanos(Math.round(seconds * 1e9));
    } else if (asked != null && asked.getSeconds() > MAX_PAUSE_S) {
      finish(new ProtocolException("a pause of " + asked.getSeconds() + " s was asked for"));
      return;
    }
    boolean isRedirect;
    try {
      isRedirect = route.onEnd(status.address() == null ? "" : status.address());
    } catch (ProtocolException noAddress) {
      finish(noAddress);
      return;
    }
    // A refusal's pause applies to its own address only; a Goodbye's pause spreads reconnects.
    boolean atOnce = isRedirect && status.code() == Status.Code.FAILED_PRECONDITION;
    Duration pause = atOnce ? Duration.ZERO : backoff.next(asked);
    session.tell(new Disconnected(status, pause));
    reconnect = loop.schedule(this::connect, pause.toNanos(), TimeUnit.NANOSECONDS);
    deliver();
  }

  private void showChanges(boolean live) {
    View old = view;
    view = new View(live, session.plan(), session.offer(), old.serverTimeS(), old.clockRate(),
        old.welcomedAt());
  }

  // Events for the app.

  /** Delivers the next event to the app, unless it is handling one. */
  private void deliver() {
    if (delivering) return;
    Object event = session.take();
    if (event != null) {
      delivering = true;
      app.execute(() -> handOver(event));
    } else if (ended) {
      delivering = true; // Permanently.
      Throwable why = error;
      app.execute(() -> onEnd.accept(why));
    }
  }

  /** Runs in the app's thread. */
  private void handOver(Object event) {
    Throwable thrown = null;
    try {
      onEvent.accept(event);
    } catch (RuntimeException | Error failure) {
      thrown = failure;
    }
    Throwable failure = thrown;
    loop.execute(() -> {
      delivering = false;
      if (failure != null) finish(failure);
      deliver();
      flush(); // The ack.
    });
  }

  private void finish(@Nullable Throwable why) {
    if (ended) return;
    ended = true;
    error = why;
    showChanges(false);
    if (reconnect != null) reconnect.cancel(false);
    if (call != null) call.close();
    commands.failAll(why == null ? new DriverStoppedException() : why);
    deliver();
  }
}
