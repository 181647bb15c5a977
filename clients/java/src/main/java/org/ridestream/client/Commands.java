package org.ridestream.client;

import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.ridestream.dispatch.v1.AnsweredCommand;
import org.ridestream.dispatch.v1.DriveRequest;
import org.ridestream.dispatch.v1.DriveResponse;
import org.ridestream.dispatch.v1.Plan;
import org.ridestream.dispatch.v1.Rejected;
import org.ridestream.dispatch.v1.Stop;
import org.ridestream.dispatch.v1.StopAction;
import org.ridestream.dispatch.v1.StopKind;
import org.ridestream.dispatch.v1.StopUpdate;

/**
 * Commands whose effect hasn't been seen. They are sent again after each Welcome, in their order.
 * Not thread-safe; callers that wait for a command continue in another thread.
 */
final class Commands {
  private static final String END_SHIFT = "end_shift";

  private static final class Pending {
    final DriveRequest request;

    /** Several callers may wait for one command. */
    final List<CompletableFuture<Message>> waiting = new ArrayList<>();

    Pending(DriveRequest request) {
      this.request = request;
    }
  }

  private final Map<String, Pending> pending = new LinkedHashMap<>();

  /**
   * Adds a command, unless the same one is pending. Returns whether it is new and must be sent.
   * {@code result} gets the OfferEnded or the Plan that shows the effect, or the empty message at
   * the end of a shift.
   */
  boolean add(DriveRequest request, CompletableFuture<Message> result) {
    String key = keyOf(request);
    Pending known = pending.get(key);
    if (known == null) {
      known = new Pending(request);
      known.waiting.add(result);
      pending.put(key, known);
      return true;
    }
    if (known.request.equals(request)) {
      known.waiting.add(result);
    } else {
      String kind = key.substring(0, key.indexOf(' '));
      fail(List.of(result), Checks.invalid("%s: another answer to the same is under way", kind));
    }
    return false;
  }

  List<DriveRequest> requests() {
    return pending.values().stream().map(one -> one.request).toList();
  }

  boolean isShiftEnding() {
    return pending.containsKey(END_SHIFT);
  }

  /** Whether the message rejects a pending command. */
  boolean isAnswer(DriveResponse message) {
    return message.hasRejected() && pending.containsKey(keyOf(message.getRejected()));
  }

  /** Resolves the commands that the message answers; {@code newest} is the current plan. */
  void onPush(DriveResponse message, @Nullable Plan newest) {
    if (message.hasRejected()) {
      Rejected rejected = message.getRejected();
      Pending answered = pending.remove(keyOf(rejected));
      if (answered != null) {
        fail(answered.waiting,
            new CommandRejectedException(
                Statuses.codeOf(rejected.getCodeValue()), rejected.getMessage()));
      }
    }
    if (message.hasOfferEnded()) {
      resolve(offerKey(message.getOfferEnded().getOfferId()), message.getOfferEnded());
    }
    if (message.hasPlan() && newest != null) {
      message.getPlan().getAnswersList().forEach(answer -> resolve(keyOf(answer), newest));
    }
  }

  /** Resolves commands whose effect the snapshot's plan shows; answers may have been lost. */
  void onSnapshot(Plan plan) {
    for (Map.Entry<String, Pending> one : List.copyOf(pending.entrySet())) {
      if (shows(plan, one.getValue().request)) resolve(one.getKey(), plan);
    }
  }

  void onShiftEnded() {
    resolve(END_SHIFT, DriveResponse.getDefaultInstance());
  }

  void failAll(Throwable error) {
    pending.values().forEach(command -> fail(command.waiting, error));
    pending.clear();
  }

  /** Whether the plan shows the effect of the command. */
  private static boolean shows(Plan plan, DriveRequest request) {
    if (!request.hasStopUpdate() && !request.hasGiveUp()) return false;
    StopAction action = request.getStopUpdate().getAction();
    String tripId = request.hasStopUpdate() ? request.getStopUpdate().getTripId()
                                            : request.getGiveUp().getTripId();
    return plan.getStopsList()
        .stream()
        .filter(stop -> stop.getTripId().equals(tripId))
        .noneMatch(stop -> isOpen(stop, action));
  }

  /** Whether a trip's stop shows that the action is not done. */
  private static boolean isOpen(Stop stop, StopAction action) {
    boolean isPickUp = stop.getKind() == StopKind.STOP_KIND_PICK_UP;
    if (action == StopAction.STOP_ACTION_ARRIVED) return isPickUp && !stop.getArrived();
    if (action == StopAction.STOP_ACTION_PICKED_UP) return isPickUp;
    return true; // Dropped off or given up: the trip has no stop.
  }

  private void resolve(String key, Message result) {
    Pending command = pending.remove(key);
    if (command == null) return;
    command.waiting.forEach(future -> future.completeAsync(() -> result));
  }

  static void fail(List<CompletableFuture<Message>> waiting, Throwable error) {
    for (CompletableFuture<Message> future : waiting) {
      future.defaultExecutor().execute(() -> future.completeExceptionally(error));
    }
  }

  private static String keyOf(AnsweredCommand answer) {
    switch (answer.getCommandCase()) {
      case STOP_UPDATE:
        return stopKey(answer.getStopUpdate());
      case GIVEN_UP_TRIP_ID:
        return giveUpKey(answer.getGivenUpTripId());
      default:
        return "";
    }
  }

  private static String keyOf(DriveRequest request) {
    switch (request.getMessageCase()) {
      case OFFER_ANSWER:
        return offerKey(request.getOfferAnswer().getOfferId());
      case STOP_UPDATE:
        return stopKey(request.getStopUpdate());
      case GIVE_UP:
        return giveUpKey(request.getGiveUp().getTripId());
      case END_SHIFT:
        return END_SHIFT;
      default:
        throw new IllegalArgumentException("no command: " + request.getMessageCase());
    }
  }

  private static String keyOf(Rejected rejected) {
    switch (rejected.getCommandCase()) {
      case OFFER_ANSWER:
        return offerKey(rejected.getOfferAnswer().getOfferId());
      case STOP_UPDATE:
        return stopKey(rejected.getStopUpdate());
      case GIVE_UP:
        return giveUpKey(rejected.getGiveUp().getTripId());
      case END_SHIFT:
        return END_SHIFT;
      default:
        return "";
    }
  }

  private static String offerKey(String offerId) {
    return "offer_answer " + offerId;
  }

  private static String stopKey(StopUpdate update) {
    return "stop_update " + update.getTripId() + " " + update.getActionValue();
  }

  private static String giveUpKey(String tripId) {
    return "give_up " + tripId;
  }
}
