package org.ridestream.client;

import io.grpc.Status;

/** The service rejected a driver's command. The newest plan shows the current state. */
public final class CommandRejectedException extends RidestreamException {
  private static final long serialVersionUID = 1;

  private final Status.Code code;
  private final String description;

  CommandRejectedException(Status.Code code, String description) {
    super(code + ": " + description, null);
    this.code = code;
    this.description = description;
  }

  public Status.Code code() {
    return code;
  }

  /** The service's message, without the code. */
  public String description() {
    return description;
  }
}
