package org.ridestream.client;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.ridestream.dispatch.v1.Ack;
import org.ridestream.dispatch.v1.DriveRequest;
import org.ridestream.dispatch.v1.Heartbeat;
import org.ridestream.dispatch.v1.Position;

/**
 * The messages that a driver's stream must send, and their times: acks, commands, positions and
 * heartbeats. Times are those of {@link System#nanoTime}. Not thread-safe.
 *
 * <p>The queue is bounded: commands by the number of pending ones, positions because only the
 * newest is kept, and one before each step at a stop.
 */
final class Outbox {
  /** Lower bound of the interval of reports, whatever a Welcome says. */
  private static final double MIN_PERIOD_S = 0.1;

  /**
   * Fraction of the heartbeat interval after which one is sent, so that a slow network doesn't look
   * like silence.
   */
  private static final double HEARTBEAT_PART = 0.9;

  private final Deque<DriveRequest> waiting = new ArrayDeque<>();
  private @Nullable Position position;
  private long positionSequence;
  private long acked;
  private long reportEvery;
  private long heartbeat;
  private long sentAt;
  private long reportedAt;

  /** Begins with a stream's Welcome. Its periods are in seconds of this device. */
  void begin(boolean resumed, double reportEveryS, double heartbeatS, long now) {
    waiting.clear();
    if (!resumed) positionSequence = 0;
    acked = 0;
    reportEvery = nanosOf(Math.max(MIN_PERIOD_S, reportEveryS));
    heartbeat = nanosOf(Math.max(MIN_PERIOD_S, HEARTBEAT_PART * heartbeatS));
    sentAt = now;
    // A position is sent at once.
    reportedAt = now - reportEvery;
  }

  private static long nanosOf(double seconds) {
    return Math.round(seconds * 1e9);
  }

  /** Sets the car's position. The first one is due at once. */
  void move(Position fresh, long now) {
    if (position == null) reportedAt = now - reportEvery;
    position = fresh;
  }

  void add(DriveRequest command) {
    // The position must precede a step at that position.
    if (command.hasStopUpdate() && position != null) waiting.add(numbered(position));
    waiting.add(command);
  }

  /** The push was repeated: acks it again. */
  void ackAgain(long sequence) {
    acked = Math.min(acked, sequence - 1);
  }

  /** Returns the request to send now, or null. {@code ack} is the largest sequence to ack. */
  @Nullable
  DriveRequest next(long ack, long now) {
    DriveRequest request = choose(ack, now);
    if (request == null) return null;
    sentAt = now;
    if (request.hasPosition()) reportedAt = now;
    if (request.hasAck()) acked = ack;
    return request;
  }

  private @Nullable DriveRequest choose(long ack, long now) {
    if (ack > acked) {
      return DriveRequest.newBuilder().setAck(Ack.newBuilder().setSequence(ack)).build();
    }
    if (position != null && waiting.isEmpty() && now - reportedAt >= reportEvery) {
      return numbered(position);
    }
    if (!waiting.isEmpty()) return waiting.remove();
    if (now - sentAt >= heartbeat) {
      return DriveRequest.newBuilder().setHeartbeat(Heartbeat.getDefaultInstance()).build();
    }
    return null;
  }

  /** Returns the nanoseconds until the next request is due, if none is due now. */
  long dueIn(long now) {
    long due = sentAt + heartbeat - now;
    return position == null ? due : Math.min(due, reportedAt + reportEvery - now);
  }

  private DriveRequest numbered(Position where) {
    positionSequence++;
    return DriveRequest.newBuilder()
        .setPosition(where.toBuilder()
                         .setSequence(positionSequence)
                         .setDeviceTimeMs(System.currentTimeMillis()))
        .build();
  }
}
