package org.ridestream.client;

import com.google.protobuf.Duration;
import java.util.List;
import org.ridestream.dispatch.v1.DriveResponse;
import org.ridestream.dispatch.v1.Offer;
import org.ridestream.dispatch.v1.OfferEnded;
import org.ridestream.dispatch.v1.OfferOutcome;
import org.ridestream.dispatch.v1.Plan;
import org.ridestream.dispatch.v1.Stop;
import org.ridestream.dispatch.v1.StopKind;
import org.ridestream.dispatch.v1.Welcome;

/** Builds messages of the service to the driver "d". */
final class Messages {
  private Messages() {}

  static Welcome.Builder welcome(long epoch) {
    return Welcome.newBuilder()
        .setSessionId("s")
        .setDriverId("d")
        .setEpoch(epoch)
        .setReportEvery(Duration.newBuilder().setSeconds(4))
        .setHeartbeat(Duration.newBuilder().setSeconds(7))
        .setClockRate(1);
  }

  static DriveResponse message(Welcome.Builder welcome) {
    return DriveResponse.newBuilder().setWelcome(welcome).build();
  }

  static DriveResponse offer(long sequence, String offerId) {
    Offer.Builder offer = Offer.newBuilder().setOfferId(offerId).setTripId("t").setDriverId("d");
    return DriveResponse.newBuilder().setSequence(sequence).setOffer(offer).build();
  }

  static DriveResponse offerEnded(long sequence, String offerId) {
    OfferEnded.Builder ended = OfferEnded.newBuilder().setOfferId(offerId).setTripId("t");
    ended.setOutcome(OfferOutcome.OFFER_OUTCOME_ACCEPTED);
    return DriveResponse.newBuilder().setSequence(sequence).setOfferEnded(ended).build();
  }

  static DriveResponse plan(long sequence, Plan plan) {
    return DriveResponse.newBuilder().setSequence(sequence).setPlan(plan).build();
  }

  static Plan plan(long version, Stop... stops) {
    return Plan.newBuilder()
        .setVersion(version)
        .setDriverId("d")
        .addAllStops(List.of(stops))
        .build();
  }

  static Stop stop(StopKind kind, boolean arrived) {
    return Stop.newBuilder().setKind(kind).setTripId("t").setArrived(arrived).build();
  }
}
