package org.ridestream.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.grpc.Status;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.Test;
import org.ridestream.trip.v1.TripServiceGrpc;

final class StatusesTest {
  private static Status.Code codeOf(Status status) {
    var exception = Statuses.exceptionOf(status.asException(), TripServiceGrpc.getGetTripMethod());
    return assertInstanceOf(CallFailedException.class, exception).code();
  }

  @Test
  void closedConnectionIsReportedAsUnavailable() {
    Status closed = Status.UNKNOWN.withCause(new ClosedChannelException());
    assertEquals(Status.Code.UNAVAILABLE, codeOf(closed));
  }

  @Test
  void codeOfTheServiceIsKept() {
    assertEquals(Status.Code.UNKNOWN, codeOf(Status.UNKNOWN.withDescription("a fault")));
  }
}
