package org.ridestream.client;

import com.google.protobuf.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Locale;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.ridestream.dispatch.v1.DriveResponse;
import org.ridestream.dispatch.v1.DriveResponse.MessageCase;
import org.ridestream.dispatch.v1.Hello;
import org.ridestream.dispatch.v1.Offer;
import org.ridestream.dispatch.v1.OfferEnded;
import org.ridestream.dispatch.v1.Plan;
import org.ridestream.dispatch.v1.Resume;
import org.ridestream.dispatch.v1.Welcome;

/**
 * The rules of a driver's session across streams: the effect of each message, and which messages
 * are sent again. Without input and output. Not thread-safe. Throws {@link ProtocolException} if
 * the service violates the protocol.
 */
final class Session {
  /** Number of ended offers to remember, so that each end is reported once. */
  private static final int REMEMBERED_OFFERS = 64;

  /** Bound of untaken events. The service allows 64 unacked pushes, so more are an error. */
  private static final int MAX_UNTAKEN = 256;

  /** An event that the app hasn't taken. Without an event, only a sequence to ack. */
  private record Untaken(long sequence, @Nullable Object event) {}

  private @Nullable Welcome welcome;
  private @Nullable Plan plan;
  private @Nullable Offer offer;
  private long lastSequence;
  private long ack;
  private Deque<Untaken> untaken = new ArrayDeque<>();
  private final Deque<String> endedOffers = new ArrayDeque<>();

  /** The newest plan; null if there is none or it isn't known yet. */
  @Nullable
  Plan plan() {
    return plan;
  }

  /** The open offer; null if there is none. */
  @Nullable
  Offer offer() {
    return offer;
  }

  /** The sequence of the last push. */
  long lastSequence() {
    return lastSequence;
  }

  /** The largest sequence that may be acked. */
  long ack() {
    return ack;
  }

  /** The newest Welcome. There must be one. */
  Welcome welcome() {
    if (welcome == null) throw new IllegalStateException("no Welcome has come");
    return welcome;
  }

  /** Converts a duration of the service's clock to seconds of this device's clock. */
  double wallSeconds(Duration duration) {
    double seconds = secondsOf(duration);
    return welcome == null ? seconds : seconds / welcome.getClockRate();
  }

  static double secondsOf(Duration duration) {
    return duration.getSeconds() + duration.getNanos() / 1e9;
  }

  /** Returns the first message of the next stream. */
  Hello hello(Hello shift) {
    Hello.Builder first = shift.toBuilder().clearResume();
    if (welcome != null) {
      first.setResume(Resume.newBuilder()
                          .setSessionId(welcome.getSessionId())
                          .setEpoch(welcome.getEpoch())
                          .setLastSequence(lastSequence)
                          .setPlanVersion(plan == null ? 0 : plan.getVersion()));
    }
    return first.build();
  }

  /** Handles a stream's first message. */
  void onWelcome(DriveResponse message) {
    if (!message.hasWelcome()) {
      throw new ProtocolException("the first message must be welcome, is " + nameOf(message));
    }
    Welcome fresh = message.getWelcome();
    check(fresh);
    welcome = fresh;
    if (!fresh.getResumed()) {
      lastSequence = 0;
      ack = 0;
      untaken.clear();
      plan = null;
      offer = null;
    }
    tell(new Connected(fresh.getResumed(), fresh.getSessionId(), fresh.getEpoch()));
    if (fresh.getSnapshot().hasPlan()) onPlan(0, fresh.getSnapshot().getPlan());
    if (fresh.getSnapshot().hasOffer()) {
      onOffer(0, fresh.getSnapshot().getOffer());
    } else {
      offer = null;
    }
  }

  /**
   * Handles any later message except Goodbye. {@code isAnswer}: a pending command receives this
   * rejection, so the app needs no event.
   */
  void onPush(DriveResponse message, boolean isAnswer) {
    MessageCase kind = message.getMessageCase();
    long sequence = message.getSequence();
    if (kind == MessageCase.WELCOME || kind == MessageCase.GOODBYE) {
      throw new ProtocolException(nameOf(message) + ": came where none is allowed");
    }
    if (sequence == 0) {
      if (kind == MessageCase.HEARTBEAT || kind == MessageCase.MESSAGE_NOT_SET) return;
      throw new ProtocolException(nameOf(message) + ": has no sequence");
    }
    // As unsigned numbers; those that come are never near either end.
    if (sequence < 0 || sequence > lastSequence + 1) {
      throw new ProtocolException(
          "push " + Long.toUnsignedString(sequence) + " came after " + lastSequence);
    }
    if (sequence <= lastSequence) return; // A repeated push.
    lastSequence = sequence;
    switch (kind) {
      case OFFER:
        onOffer(sequence, message.getOffer());
        break;
      case OFFER_ENDED:
        onOfferEnded(sequence, message.getOfferEnded());
        break;
      case PLAN:
        onPlan(sequence, message.getPlan());
        break;
      case REJECTED:
        add(sequence, isAnswer ? null : message.getRejected());
        break;
      case WAITING_PLACE:
        add(sequence, message.getWaitingPlace());
        break;
      default:
        add(sequence, null);
    }
  }

  /** Adds a connection event, which replaces one that the app hasn't taken. */
  void tell(Record event) {
    forget(other -> other instanceof Record);
    add(0, event);
  }

  /** Returns the next event for the app, or null. Its push may then be acked. */
  @Nullable
  Object take() {
    Untaken first = untaken.poll();
    if (first == null) return null;
    ack = Math.max(ack, first.sequence());
    skipSilent();
    return first.event();
  }

  /** Removes all events that the app hasn't taken, without acking them. */
  void dropUntaken() {
    untaken.clear();
  }

  /** Removes such events that the app hasn't taken; their sequences are still acked. */
  private void forget(Predicate<Object> which) {
    Deque<Untaken> kept = new ArrayDeque<>();
    for (Untaken one : untaken) {
      boolean stays = one.event() != null && !which.test(one.event());
      if (stays) {
        kept.add(one);
      } else if (one.sequence() != 0) {
        kept.add(new Untaken(one.sequence(), null));
      }
    }
    untaken = kept;
    skipSilent();
  }

  private void add(long sequence, @Nullable Object event) {
    if (untaken.size() >= MAX_UNTAKEN) {
      throw new ProtocolException(MAX_UNTAKEN + " pushes came without an ack");
    }
    untaken.add(new Untaken(sequence, event));
    skipSilent();
  }

  private void skipSilent() {
    Iterator<Untaken> all = untaken.iterator();
    while (all.hasNext()) {
      Untaken first = all.next();
      if (first.event() != null) return;
      ack = Math.max(ack, first.sequence());
      all.remove();
    }
  }

  private void onOffer(long sequence, Offer fresh) {
    checkDriver("offer", fresh.getDriverId());
    boolean known = offer != null && offer.getOfferId().equals(fresh.getOfferId());
    if (known || endedOffers.contains(fresh.getOfferId())) {
      add(sequence, null);
      return;
    }
    if (fresh.getOfferId().isEmpty() || fresh.getTripId().isEmpty()) {
      throw new ProtocolException("offer: has no offer_id or no trip_id");
    }
    offer = fresh;
    add(sequence, fresh);
  }

  private void onOfferEnded(long sequence, OfferEnded ended) {
    if (offer != null && offer.getOfferId().equals(ended.getOfferId())) offer = null;
    if (endedOffers.contains(ended.getOfferId())) {
      add(sequence, null);
      return;
    }
    endedOffers.add(ended.getOfferId());
    if (endedOffers.size() > REMEMBERED_OFFERS) endedOffers.remove();
    add(sequence, ended);
  }

  private void onPlan(long sequence, Plan fresh) {
    checkDriver("plan", fresh.getDriverId());
    if (plan != null) {
      int order = Long.compareUnsigned(fresh.getVersion(), plan.getVersion());
      if (order < 0 || (order == 0 && sequence != 0)) {
        add(sequence, null);
        return;
      }
      boolean sameRoute = !fresh.hasRoute() && fresh.getRouteId() == plan.getRouteId();
      if (sameRoute && plan.hasRoute() && fresh.getStopsCount() > 0) {
        fresh = fresh.toBuilder().setRoute(plan.getRoute()).build();
      }
    }
    plan = fresh;
    forget(other -> other instanceof Plan);
    add(sequence, fresh);
  }

  /** Throws if the message is for another driver. */
  private void checkDriver(String what, String driverId) {
    String mine = welcome().getDriverId();
    if (!driverId.equals(mine)) {
      throw new ProtocolException(
          String.format("%s.driver_id: is of driver '%s', not of '%s'", what, driverId, mine));
    }
  }

  private void check(Welcome fresh) {
    if (fresh.getSessionId().isEmpty()) {
      throw new ProtocolException("welcome.session_id: is empty");
    }
    if (fresh.getDriverId().isEmpty()) {
      throw new ProtocolException("welcome.driver_id: is empty");
    }
    if (welcome != null && Long.compareUnsigned(fresh.getEpoch(), welcome.getEpoch()) <= 0) {
      throw new ProtocolException(String.format("welcome.epoch: %s came after %s",
          Long.toUnsignedString(fresh.getEpoch()), Long.toUnsignedString(welcome.getEpoch())));
    }
    boolean same = welcome != null && fresh.getSessionId().equals(welcome.getSessionId());
    if (fresh.getResumed() && !same) {
      throw new ProtocolException("welcome.resumed: another session than the one asked for");
    }
    checkPeriod(fresh.getReportEvery(), "report_every");
    checkPeriod(fresh.getHeartbeat(), "heartbeat");
    if (!(fresh.getClockRate() >= 0.01 && fresh.getClockRate() <= 1_000)) {
      throw new ProtocolException("welcome.clock_rate: is " + fresh.getClockRate());
    }
  }

  private static void checkPeriod(Duration period, String name) {
    double seconds = secondsOf(period);
    if (seconds < 0.001 || seconds > 86_400) {
      throw new ProtocolException("welcome." + name + ": must be 1 ms to 1 day");
    }
  }

  private static String nameOf(DriveResponse message) {
    MessageCase kind = message.getMessageCase();
    return kind == MessageCase.MESSAGE_NOT_SET ? "unknown" : kind.name().toLowerCase(Locale.ROOT);
  }
}
