package org.ridestream.client;

import io.grpc.Status;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A call or a stream ended with a status that another try doesn't mend. */
public class CallFailedException extends RidestreamException {
  private static final long serialVersionUID = 1;

  private final Status.Code code;
  private final String description;
  private final @Nullable Duration retryAfter;

  CallFailedException(Status.Code code, String description, @Nullable Duration retryAfter) {
    super(code + ": " + description, null);
    this.code = code;
    this.description = description;
    this.retryAfter = retryAfter;
  }

  public final Status.Code code() {
    return code;
  }

  /** The service's words, without the code. */
  public final String description() {
    return description;
  }

  /** The pause that the service asked for; null: none. */
  public final @Nullable Duration retryAfter() {
    return retryAfter;
  }
}
