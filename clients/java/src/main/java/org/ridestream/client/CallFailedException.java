package org.ridestream.client;

import io.grpc.Status;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A call or a stream ended with a status that a retry doesn't fix. */
public class CallFailedException extends RidestreamException {
  private static final long serialVersionUID = 1;

  private final Status.Code code;
  private final String description;
  private final @Nullable Duration retryAfter;
  private final @Nullable String market;
  private final @Nullable String address;

  CallFailedException(Status.Code code, String description, @Nullable Duration retryAfter) {
    this(code, description, retryAfter, null, null);
  }

  CallFailedException(Status.Code code, String description, @Nullable Duration retryAfter,
      @Nullable String market, @Nullable String address) {
    super(code + ": " + description, null);
    this.code = code;
    this.description = description;
    this.retryAfter = retryAfter;
    this.market = market;
    this.address = address;
  }

  public final Status.Code code() {
    return code;
  }

  /** The service's message, without the code. */
  public final String description() {
    return description;
  }

  /** Pause before a retry that the service requested; null if none. */
  public final @Nullable Duration retryAfter() {
    return retryAfter;
  }

  /** The market that the caller must use instead; null if none. */
  public final @Nullable String market() {
    return market;
  }

  /** The host:port that the caller must use instead; null if none. */
  public final @Nullable String address() {
    return address;
  }
}
