package org.ridestream.client;

import io.grpc.Status;

/** An argument that the service would refuse; thrown before anything is sent. */
public final class InvalidArgumentException extends CallFailedException {
  private static final long serialVersionUID = 1;

  InvalidArgumentException(String description) {
    super(Status.Code.INVALID_ARGUMENT, description, null);
  }
}
