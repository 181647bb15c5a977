package org.ridestream.client;

import com.google.protobuf.Message;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.ridestream.common.v1.LatLng;
import org.ridestream.dispatch.v1.DriveRequest;
import org.ridestream.dispatch.v1.EndShift;
import org.ridestream.dispatch.v1.GiveUp;
import org.ridestream.dispatch.v1.GiveUpCause;
import org.ridestream.dispatch.v1.Hello;
import org.ridestream.dispatch.v1.Offer;
import org.ridestream.dispatch.v1.OfferAnswer;
import org.ridestream.dispatch.v1.OfferEnded;
import org.ridestream.dispatch.v1.Plan;
import org.ridestream.dispatch.v1.Position;
import org.ridestream.dispatch.v1.Rejected;
import org.ridestream.dispatch.v1.StopAction;
import org.ridestream.dispatch.v1.StopUpdate;
import org.ridestream.dispatch.v1.WaitingPlace;

/**
 * A driver: keeps a stream open, reconnecting as often as necessary, until the shift ends.
 *
 * <p>Commands ({@link #accept}, {@link #arrived}, …) return a future that completes when
 * they take effect, across reconnects; they may be repeated. It fails with {@link
 * CommandRejectedException} if the service rejects the command, or with the error that ended the
 * driver.
 *
 * <p>Thread-safe. Stages chained to a future run in {@link CompletableFuture}'s default executor.
 * The threads of a driver are daemons: wait for {@link #ended} if nothing else keeps the program
 * running.
 */
public final class Driver implements AutoCloseable {
  private static final long IDLE_THREAD_S = 5;
  private static final long MAX_UINT32 = (1L << 32) - 1;

  private final DriverListener listener;
  private final DriverLoop state;
  private final ScheduledThreadPoolExecutor loop;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();

  private Driver(Connection connection, Hello shift, DriverListener listener) {
    this.listener = listener;
    // Idle threads end, so the executors need no shutdown.
    loop = new ScheduledThreadPoolExecutor(1, daemons("ridestream-driver"));
    loop.setKeepAliveTime(IDLE_THREAD_S, TimeUnit.SECONDS);
    loop.allowCoreThreadTimeOut(true);
    loop.setRemoveOnCancelPolicy(true);
    ThreadPoolExecutor app = new ThreadPoolExecutor(1, 1, IDLE_THREAD_S, TimeUnit.SECONDS,
        new LinkedBlockingQueue<>(), daemons("ridestream-listener"));
    app.allowCoreThreadTimeOut(true);
    state = new DriverLoop(connection, shift, loop, app, this::onEvent, this::onEnd);
  }

  private static ThreadFactory daemons(String name) {
    return task -> {
      Thread thread = new Thread(task, name);
      thread.setDaemon(true);
      return thread;
    };
  }

  /**
   * Connects and begins a shift. Set market and seats, but not {@code resume}, which the driver
   * sets.
   *
   * @throws InvalidArgumentException if the service would refuse it
   */
  public static Driver begin(Connection connection, Hello shift, DriverListener listener) {
    Checks.range(Integer.toUnsignedLong(shift.getSeats()), 1, Checks.MAX_SEATS, "hello.seats");
    Checks.id(shift.getMarket(), "hello.market");
    Checks.text(shift.getName(), Checks.MAX_NAME, "hello.name");
    Checks.text(shift.getVehicle().getModel(), Checks.MAX_NAME, "hello.vehicle.model");
    Checks.text(shift.getVehicle().getPlate(), Checks.MAX_PLATE, "hello.vehicle.plate");
    Driver driver = new Driver(connection, shift, listener);
    driver.loop.execute(driver.state::connect);
    return driver;
  }

  /**
   * Closes the stream. The service keeps the session for a resume; {@link #endShift} ends it.
   * Events that the listener hasn't received are dropped.
   */
  @Override
  public void close() {
    loop.execute(state::close);
  }

  /**
   * Completes after the last call to the listener: normally after {@link #endShift} and {@link
   * #close}, otherwise with the error that ended the stream permanently.
   */
  public CompletableFuture<Void> ended() {
    return ended.copy();
  }

  /** Whether the stream is open and has received its Welcome. */
  public boolean isLive() {
    return state.view().live();
  }

  /** The newest plan; null if there is none or it isn't known yet. */
  public @Nullable Plan plan() {
    return state.view().plan();
  }

  /** The open offer; null if there is none. */
  public @Nullable Offer offer() {
    return state.view().offer();
  }

  /** The time left to answer the offer, by this device's clock; negative if it is over. */
  public Duration timeLeft(Offer offer) {
    DriverLoop.View view = state.view();
    double end = offer.getExpiresAt().getSeconds() + offer.getExpiresAt().getNanos() / 1e9;
    double left = (end - view.serverTimeS()) / view.clockRate();
    return Duration.ofNanos(Math.round(left * 1e9) - (System.nanoTime() - view.welcomedAt()));
  }

  /** Sets the car's position in degrees; see {@link #moveTo(double, double, int, double)}. */
  public void moveTo(double lat, double lng) {
    moveTo(lat, lng, 0, 0);
  }

  /**
   * Sets the car's position in degrees, heading in degrees clockwise from north (0 to 359), and
   * speed in metres per second. They are sent as often as the service requests; call this at any
   * rate.
   *
   * @throws InvalidArgumentException if the service would refuse it
   */
  public void moveTo(double lat, double lng, int headingDeg, double speedMPerS) {
    Checks.range(headingDeg, 0, 359, "position.heading_deg");
    long speed = Math.round(speedMPerS * 10);
    Checks.range(speed, 0, MAX_UINT32, "position.speed_dm_per_s");
    LatLng place = Checks.place(lat, lng, "position");
    Position position = Position.newBuilder()
                            .setLatE7(place.getLatE7())
                            .setLngE7(place.getLngE7())
                            .setHeadingDeg(headingDeg)
                            .setSpeedDmPerS((int) speed)
                            .build();
    loop.execute(() -> state.move(position));
  }

  /** Accepts the offer. The driver has the trip only if the outcome is OFFER_OUTCOME_ACCEPTED. */
  public CompletableFuture<OfferEnded> accept(String offerId) {
    return answer(offerId, true);
  }

  /** Declines the offer. */
  public CompletableFuture<OfferEnded> decline(String offerId) {
    return answer(offerId, false);
  }

  /**
   * Reports the arrival at the pick-up. Like the other steps, completes with the plan that shows
   * it.
   */
  public CompletableFuture<Plan> arrived(String tripId) {
    return step(tripId, StopAction.STOP_ACTION_ARRIVED);
  }

  /** Reports that the rider is in the car. */
  public CompletableFuture<Plan> pickedUp(String tripId) {
    return step(tripId, StopAction.STOP_ACTION_PICKED_UP);
  }

  /** Reports the end of the ride. */
  public CompletableFuture<Plan> droppedOff(String tripId) {
    return step(tripId, StopAction.STOP_ACTION_DROPPED_OFF);
  }

  /** Gives up a trip before its pick-up. The reason is for people and may be empty. */
  public CompletableFuture<Plan> giveUp(String tripId, GiveUpCause cause, String reason) {
    Checks.id(tripId, "give_up.trip_id");
    Checks.text(reason, Checks.MAX_TEXT, "give_up.reason");
    GiveUp giveUp = GiveUp.newBuilder().setTripId(tripId).setCause(cause).setReason(reason).build();
    return command(DriveRequest.newBuilder().setGiveUp(giveUp), Plan.class);
  }

  /** Ends the session and the driver. Rejected while the driver has a plan. */
  public CompletableFuture<Void> endShift() {
    DriveRequest.Builder request =
        DriveRequest.newBuilder().setEndShift(EndShift.getDefaultInstance());
    return command(request, Message.class).thenApply(none -> null);
  }

  private CompletableFuture<OfferEnded> answer(String offerId, boolean accept) {
    Checks.id(offerId, "offer_answer.offer_id");
    OfferAnswer answer = OfferAnswer.newBuilder().setOfferId(offerId).setAccept(accept).build();
    return command(DriveRequest.newBuilder().setOfferAnswer(answer), OfferEnded.class);
  }

  private CompletableFuture<Plan> step(String tripId, StopAction action) {
    Checks.id(tripId, "stop_update.trip_id");
    StopUpdate update = StopUpdate.newBuilder().setTripId(tripId).setAction(action).build();
    return command(DriveRequest.newBuilder().setStopUpdate(update), Plan.class);
  }

  private <T extends Message> CompletableFuture<T> command(
      DriveRequest.Builder request, Class<T> kind) {
    CompletableFuture<Message> result = new CompletableFuture<>();
    DriveRequest built = request.build();
    loop.execute(() -> state.command(built, result));
    return result.thenApply(kind::cast);
  }

  private void onEvent(Object event) {
    if (event instanceof Connected connected) {
      listener.onConnected(this, connected);
    } else if (event instanceof Disconnected disconnected) {
      listener.onDisconnected(this, disconnected);
    } else if (event instanceof Offer offer) {
      listener.onOffer(this, offer);
    } else if (event instanceof OfferEnded offerEnded) {
      listener.onOfferEnded(this, offerEnded);
    } else if (event instanceof Plan plan) {
      listener.onPlan(this, plan);
    } else if (event instanceof Rejected rejected) {
      listener.onRejected(this, rejected);
    } else if (event instanceof WaitingPlace place) {
      listener.onWaitingPlace(this, place);
    } else {
      throw new AssertionError("an event of " + event.getClass());
    }
  }

  private void onEnd(@Nullable Throwable error) {
    try {
      listener.onEnded(this, error);
    } finally {
      if (error == null) {
        ended.complete(null);
      } else {
        ended.completeExceptionally(error);
      }
    }
  }
}
