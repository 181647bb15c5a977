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
 * A driver's app: keeps one stream, over as many connections as it takes, until the shift ends.
 *
 * <p>Commands ({@link #accept}, {@link #arrived}, …) return a future of their effect, which may
 * take several streams, and may be given many times. It fails with {@link CommandRejectedException}
 * where the service can't carry the command out, and with what ended the driver.
 *
 * <p>Thread-safe. What is chained to a future runs in {@link CompletableFuture}'s default executor.
 * The threads of a driver are daemons: wait for {@link #ended} where nothing else keeps the program
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
    // Their threads end where there is nothing to do, so nobody has to shut them down.
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
   * Connects and begins a shift. It needs a market and seats; its {@code resume} is the driver's
   * own matter.
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
   * Leaves the stream. The session waits for a resume; {@link #endShift} ends it. Events that the
   * listener hasn't had are dropped.
   */
  @Override
  public void close() {
    loop.execute(state::close);
  }

  /**
   * Done when the listener has had its last call: normally after {@link #endShift} and {@link
   * #close}, otherwise with what ended the stream for good.
   */
  public CompletableFuture<Void> ended() {
    return ended.copy();
  }

  /** Whether the stream is open and welcomed. */
  public boolean isLive() {
    return state.view().live();
  }

  /** The newest plan; null: nothing to do, or not known yet. */
  public @Nullable Plan plan() {
    return state.view().plan();
  }

  /** The open offer. */
  public @Nullable Offer offer() {
    return state.view().offer();
  }

  /** How long an answer to the offer is in time, by this device's clock; negative: it isn't. */
  public Duration timeLeft(Offer offer) {
    DriverLoop.View view = state.view();
    double end = offer.getExpiresAt().getSeconds() + offer.getExpiresAt().getNanos() / 1e9;
    double left = (end - view.serverTimeS()) / view.clockRate();
    return Duration.ofNanos(Math.round(left * 1e9) - (System.nanoTime() - view.welcomedAt()));
  }

  /** Says where the car is, in degrees; see {@link #moveTo(double, double, int, double)}. */
  public void moveTo(double lat, double lng) {
    moveTo(lat, lng, 0, 0);
  }

  /**
   * Says where the car is: degrees, whole degrees clockwise from north (0 to 359), metres a second.
   * It is sent as often as the service asks for; call it at any rate.
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

  /** Takes the trip. It is the driver's only if the outcome is OFFER_OUTCOME_ACCEPTED. */
  public CompletableFuture<OfferEnded> accept(String offerId) {
    return answer(offerId, true);
  }

  /** Leaves the trip to others. */
  public CompletableFuture<OfferEnded> decline(String offerId) {
    return answer(offerId, false);
  }

  /**
   * Says that the car is at the pick-up. As of the other steps, its effect is the plan after it.
   */
  public CompletableFuture<Plan> arrived(String tripId) {
    return step(tripId, StopAction.STOP_ACTION_ARRIVED);
  }

  /** Says that the rider is in the car. */
  public CompletableFuture<Plan> pickedUp(String tripId) {
    return step(tripId, StopAction.STOP_ACTION_PICKED_UP);
  }

  /** Says that the ride is over. */
  public CompletableFuture<Plan> droppedOff(String tripId) {
    return step(tripId, StopAction.STOP_ACTION_DROPPED_OFF);
  }

  /** Gives a trip back before its pick-up. The reason is for people and may be empty. */
  public CompletableFuture<Plan> giveUp(String tripId, GiveUpCause cause, String reason) {
    Checks.id(tripId, "give_up.trip_id");
    Checks.text(reason, Checks.MAX_TEXT, "give_up.reason");
    GiveUp giveUp = GiveUp.newBuilder().setTripId(tripId).setCause(cause).setReason(reason).build();
    return command(DriveRequest.newBuilder().setGiveUp(giveUp), Plan.class);
  }

  /** Ends the session and the driver. It is rejected while there is a plan. */
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
