package org.ridestream.client;

import org.jspecify.annotations.Nullable;
import org.ridestream.dispatch.v1.Offer;
import org.ridestream.dispatch.v1.OfferEnded;
import org.ridestream.dispatch.v1.Plan;
import org.ridestream.dispatch.v1.Rejected;
import org.ridestream.dispatch.v1.WaitingPlace;

/**
 * Receives a driver's events.
 *
 * <p>Its methods are called in order, one at a time, in a thread of the driver. They
 * may block, also to wait for a command. A push is acked when its method begins, so an app whose
 * method doesn't return receives at most 64 more pushes; then a new session starts. A method
 * that throws ends the driver.
 */
public interface DriverListener {
  /** The stream is open. */
  default void onConnected(Driver driver, Connected connected) {}

  /** The stream broke; the driver reconnects automatically. */
  default void onDisconnected(Driver driver, Disconnected disconnected) {}

  /** An offer to answer; {@link Driver#timeLeft} is the time left for that. */
  default void onOffer(Driver driver, Offer offer) {}

  /** The offer has ended. Only OFFER_OUTCOME_ACCEPTED is followed by a plan with the trip. */
  default void onOfferEnded(Driver driver, OfferEnded ended) {}

  /** The plan has changed. It contains its route if that is known. */
  default void onPlan(Driver driver, Plan plan) {}

  /** A command was rejected and no caller waits for it any more. */
  default void onRejected(Driver driver, Rejected rejected) {}

  /** Suggests a place to wait; an offer or a plan ends the suggestion. */
  default void onWaitingPlace(Driver driver, WaitingPlace place) {}

  /**
   * The last call. The error is the reason why the stream ended permanently: {@link
   * FencedException} (another device drives), another {@link CallFailedException}, {@link
   * ProtocolException} (the service violated the protocol), or an exception of the token source or
   * the listener; null after {@link Driver#endShift} and {@link Driver#close}.
   */
  default void onEnded(Driver driver, @Nullable Throwable error) {}
}
