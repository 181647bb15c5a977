package org.ridestream.client;

import org.jspecify.annotations.Nullable;
import org.ridestream.dispatch.v1.Offer;
import org.ridestream.dispatch.v1.OfferEnded;
import org.ridestream.dispatch.v1.Plan;
import org.ridestream.dispatch.v1.Rejected;
import org.ridestream.dispatch.v1.WaitingPlace;

/**
 * What happens to a driver.
 *
 * <p>Its methods are called in order, one at a time, by a thread that the driver keeps for them.
 * They may block, also for a command's effect. A push is acked when its method begins, so an app
 * whose method doesn't return is sent 64 pushes at most; then a new session starts. A method
 * that throws ends the driver.
 */
public interface DriverListener {
  /** The stream is live. */
  default void onConnected(Driver driver, Connected connected) {}

  /** The stream broke; the driver connects again by itself. */
  default void onDisconnected(Driver driver, Disconnected disconnected) {}

  /** Asks the person; {@link Driver#timeLeft} is how long an answer is in time. */
  default void onOffer(Driver driver, Offer offer) {}

  /** Closes the offer. Only OFFER_OUTCOME_ACCEPTED is followed by a plan with the trip. */
  default void onOfferEnded(Driver driver, OfferEnded ended) {}

  /** Replaces the plan. It has its route if that is known. */
  default void onPlan(Driver driver, Plan plan) {}

  /** A command was rejected for which nothing waited any more. */
  default void onRejected(Driver driver, Rejected rejected) {}

  /** Suggests where to wait; an offer or a plan ends it. */
  default void onWaitingPlace(Driver driver, WaitingPlace place) {}

  /**
   * The last call. The error is what ended the stream for good: {@link FencedException} (another
   * device drives), another {@link CallFailedException}, {@link ProtocolException} (the service
   * broke the protocol), or what the token source or the listener threw; null after {@link
   * Driver#endShift} and {@link Driver#close}.
   */
  default void onEnded(Driver driver, @Nullable Throwable error) {}
}
