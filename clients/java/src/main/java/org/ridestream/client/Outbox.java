package org.ridestream.client;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.ridestream.dispatch.v1.Ack;
import org.ridestream.dispatch.v1.DriveRequest;
import org.ridestream.dispatch.v1.Heartbeat;
import org.ridestream.dispatch.v1.Position;

/**
 * What a driver's stream has to send, and when: acks, commands, positions and heartbeats. Times are
 * those of {@link System#nanoTime}. Not thread-safe.
 *
 * <p>What waits is bounded: commands by those that are pending, positions since only the newest is
 * kept, save one before each step at a stop.
 */
final class Outbox {
  /** No city reports faster, whatever a Welcome says. */
  private static final double MIN_PERIOD_S = 0.1;

  /**
   * The part of the heartbeat's period after which one is sent, so that a slow network isn't
   * silence.
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
    // A position goes out at once.
    reportedAt = now - reportEvery;
  }

  private static long nanosOf(double seconds) {
    return Math.round(seconds * 1e9);
  }

  /** Where the car is. The first position is due at once. */
  void move(Position fresh, long now) {
    if (position == null) reportedAt = now - reportEvery;
    position = fresh;
  }

  void add(DriveRequest command) {
    // Where the car is comes before what it does there.
    if (command.hasStopUpdate() && position != null) waiting.add(numbered(position));
    waiting.add(command);
  }

  /** Lets the push be acked again, since it came again. */
  void ackAgain(long sequence) {
    acked = Math.min(acked, sequence - 1);
  }

  /** What has to be sent now; null: nothing has. {@code ack} is the largest number to ack. */
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

  /** Nanoseconds until something is due, where nothing is now. */
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
