package org.ridestream.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.ridestream.client.Messages.message;
import static org.ridestream.client.Messages.offer;
import static org.ridestream.client.Messages.offerEnded;
import static org.ridestream.client.Messages.plan;
import static org.ridestream.client.Messages.welcome;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.ridestream.common.v1.Route;
import org.ridestream.dispatch.v1.DriveResponse;
import org.ridestream.dispatch.v1.Hello;
import org.ridestream.dispatch.v1.Plan;
import org.ridestream.dispatch.v1.Resume;
import org.ridestream.dispatch.v1.Snapshot;
import org.ridestream.dispatch.v1.Stop;

class SessionTest {
  private final Session session = new Session();

  @BeforeEach
  void begin() {
    session.onWelcome(message(welcome(1)));
    assertInstanceOf(Connected.class, session.take());
  }

  private void push(DriveResponse message) {
    session.onPush(message, false);
  }

  @Test
  void pushIsAckedWhenTheAppHasTakenIt() {
    push(offer(1, "o"));
    assertEquals(0, session.ack());
    assertEquals(offer(1, "o").getOffer(), session.take());
    assertEquals(1, session.ack());
  }

  @Test
  void pushOfAnUnknownKindIsAckedAfterThePushesBeforeIt() {
    push(DriveResponse.newBuilder().setSequence(1).build());
    assertEquals(1, session.ack());
    push(offer(2, "o"));
    push(DriveResponse.newBuilder().setSequence(3).build());
    assertEquals(1, session.ack());
    assertNotNull(session.take());
    assertEquals(3, session.ack());
  }

  @Test
  void resumeListsReceivedPushesThatTheAppHasNotTaken() {
    push(offer(1, "o"));
    push(plan(2, plan(7)));
    Resume resume = session.hello(Hello.newBuilder().setMarket("m").build()).getResume();
    assertEquals(Resume.newBuilder()
                     .setSessionId("s")
                     .setEpoch(1)
                     .setLastSequence(2)
                     .setPlanVersion(7)
                     .build(),
        resume);
  }

  @Test
  void nothingIsReportedTwiceAfterAResume() {
    push(offer(1, "o"));
    assertNotNull(session.take());
    Snapshot.Builder snapshot =
        Snapshot.newBuilder().setPlan(plan(9)).setOffer(offer(0, "o").getOffer());
    session.onWelcome(message(welcome(2).setResumed(true).setSnapshot(snapshot)));
    push(offer(1, "o"));
    push(plan(2, plan(8)));
    assertInstanceOf(Connected.class, session.take());
    assertEquals(plan(9), session.take());
    assertNull(session.take());
    assertEquals(2, session.ack());
  }

  @Test
  void newSessionDropsPushesThatTheAppHasNotTaken() {
    push(offer(1, "o"));
    session.onWelcome(message(welcome(2)));
    assertInstanceOf(Connected.class, session.take());
    assertNull(session.take());
    assertNull(session.offer());
    push(plan(1, plan(1)));
    assertEquals(plan(1), session.take());
  }

  @Test
  void endOfAnOfferIsReportedOnce() {
    push(offer(1, "o"));
    push(offerEnded(2, "o"));
    push(offerEnded(3, "o"));
    assertEquals(offer(1, "o").getOffer(), session.take());
    assertEquals(offerEnded(2, "o").getOfferEnded(), session.take());
    assertNull(session.take());
  }

  @Test
  void onlyTheNewestPlanIsReported() {
    for (int number = 1; number < 60; number++) push(plan(number, plan(number)));
    assertEquals(plan(59), session.take());
    assertNull(session.take());
    assertEquals(59, session.ack());
  }

  @Test
  void planWithoutRouteKeepsTheRouteThatWasSentBefore() {
    Route route = Route.newBuilder().setLengthM(5).build();
    Plan whole =
        plan(1, Stop.getDefaultInstance()).toBuilder().setRouteId(3).setRoute(route).build();
    push(plan(1, whole));
    push(plan(2, whole.toBuilder().setVersion(2).clearRoute().build()));
    assertEquals(whole.toBuilder().setVersion(2).build(), session.plan());
  }

  @Test
  void tooManyUnackedPushesAreAProtocolError() {
    assertThrows(ProtocolException.class, () -> {
      for (int number = 1; number < 1_000; number++) push(offer(number, "o-" + number));
    });
  }

  @Test
  void gapInTheSequenceIsAProtocolError() {
    push(offer(1, "o"));
    assertEquals("push 3 came after 1",
        assertThrows(ProtocolException.class, () -> push(offer(3, "p"))).getMessage());
  }

  @Test
  void planOfAnotherDriverIsAProtocolError() {
    Plan others = plan(1).toBuilder().setDriverId("d-2").build();
    assertEquals("plan.driver_id: is of driver 'd-2', not of 'd'",
        assertThrows(ProtocolException.class, () -> push(plan(1, others))).getMessage());
  }

  @Test
  void offerForAnotherDriverIsAProtocolError() {
    DriveResponse.Builder others = offer(1, "o").toBuilder();
    others.getOfferBuilder().setDriverId("d-2");
    assertThrows(ProtocolException.class, () -> push(others.build()));
  }

  @Test
  void knownOfferForAnotherDriverIsAProtocolError() {
    push(offer(1, "o"));
    DriveResponse.Builder again = offer(2, "o").toBuilder();
    again.getOfferBuilder().setDriverId("d-2");
    assertThrows(ProtocolException.class, () -> push(again.build()));
  }
}
