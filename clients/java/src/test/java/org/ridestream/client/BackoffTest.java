package org.ridestream.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BackoffTest {
  @Test
  void pausesDoubleUpToEightSeconds() {
    Backoff backoff = new Backoff(() -> 1);
    for (double seconds : new double[] {0.5, 1, 2, 4, 8, 8}) {
      assertEquals(seconds * 1e9, backoff.next(null).toNanos());
    }
    assertEquals(Duration.ofMillis(2_500), backoff.next(Duration.ofSeconds(2)));
    backoff.reset();
    assertEquals(Duration.ofMillis(500), backoff.next(null));
  }
}
