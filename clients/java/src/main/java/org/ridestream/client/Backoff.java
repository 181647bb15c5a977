package org.ridestream.client;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Random pauses before retries: up to 0.5 s at first; the limit doubles each time, up to 8 s. Not
 * thread-safe.
 */
final class Backoff {
  private static final double FIRST_S = 0.5;
  private static final double MAX_S = 8;

  /** Returns numbers from 0 to 1. */
  private final DoubleSupplier random;

  private double limitS = FIRST_S;

  Backoff() {
    this(() -> ThreadLocalRandom.current().nextDouble());
  }

  Backoff(DoubleSupplier random) {
    this.random = random;
  }

  void reset() {
    limitS = FIRST_S;
  }

  /**
   * Returns the next pause. If the service requested one, {@code asked}, it is that plus up to a
   * quarter.
   */
  Duration next(@Nullable Duration asked) {
    if (asked != null) return asked.plus(ofSeconds(random.getAsDouble() * secondsOf(asked) / 4));
    double pauseS = random.getAsDouble() * limitS;
    limitS = Math.min(MAX_S, 2 * limitS);
    return ofSeconds(pauseS);
  }

  private static double secondsOf(Duration duration) {
    return duration.toNanos() / 1e9;
  }

  private static Duration ofSeconds(double seconds) {
    return Duration.ofNanos(Math.round(seconds * 1e9));
  }
}
