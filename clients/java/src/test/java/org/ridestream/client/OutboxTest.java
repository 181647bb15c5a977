package org.ridestream.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.ridestream.dispatch.v1.DriveRequest;
import org.ridestream.dispatch.v1.DriveRequest.MessageCase;
import org.ridestream.dispatch.v1.Position;
import org.ridestream.dispatch.v1.StopUpdate;

class OutboxTest {
  private static final Position PLACE = Position.newBuilder().setLatE7(7).build();
  private static final DriveRequest STEP =
      DriveRequest.newBuilder().setStopUpdate(StopUpdate.newBuilder().setTripId("t")).build();

  private final Outbox outbox = new Outbox();

  @BeforeEach
  void begin() {
    outbox.begin(false, 4, 10, 0);
  }

  private static long seconds(long seconds) {
    return TimeUnit.SECONDS.toNanos(seconds);
  }

  private DriveRequest next(long ack, long now) {
    DriveRequest request = outbox.next(ack, now);
    assertNotNull(request);
    return request;
  }

  @Test
  void heartbeatIsSentBeforeThePeriodEnds() {
    assertNull(outbox.next(0, seconds(8)));
    assertEquals(seconds(1), outbox.dueIn(seconds(8)));
    assertEquals(MessageCase.HEARTBEAT, next(0, seconds(9)).getMessageCase());
    assertNull(outbox.next(0, seconds(9)));
  }

  @Test
  void positionIsSentAtOnceAndThenOncePerPeriod() {
    outbox.move(PLACE, seconds(1));
    assertEquals(1, next(0, seconds(1)).getPosition().getSequence());
    assertNull(outbox.next(0, seconds(4)));
    assertEquals(seconds(1), outbox.dueIn(seconds(4)));
    assertEquals(2, next(0, seconds(5)).getPosition().getSequence());
  }

  @Test
  void positionIsSentBeforeAStep() {
    outbox.move(PLACE, 0);
    assertNotNull(next(0, 0));
    outbox.add(STEP);
    assertEquals(2, next(0, 1).getPosition().getSequence());
    assertEquals(STEP, next(0, 1));
  }

  @Test
  void positionSequenceContinuesAfterAResumeAndRestartsInANewSession() {
    outbox.move(PLACE, 0);
    assertNotNull(next(0, 0));
    outbox.begin(true, 4, 10, 0);
    assertEquals(2, next(0, 0).getPosition().getSequence());
    outbox.begin(false, 4, 10, 0);
    assertEquals(1, next(0, 0).getPosition().getSequence());
  }

  @Test
  void pushIsAckedOnceUnlessItIsSentAgain() {
    assertEquals(3, next(3, 0).getAck().getSequence());
    assertNull(outbox.next(3, 0));
    outbox.ackAgain(2);
    assertEquals(3, next(3, 0).getAck().getSequence());
  }
}
