package org.ridestream.client;

import io.grpc.Status;

/** The service couldn't carry a driver's command out. The newest plan says what holds. */
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

  /** The service's words, without the code. */
  public String description() {
    return description;
  }
}
