package org.ridestream.client;

import io.grpc.Status;

/** A newer stream of the same driver on another device replaced this one. */
public final class FencedException extends CallFailedException {
  private static final long serialVersionUID = 1;

  FencedException(String description) {
    super(Status.Code.ABORTED, description, null);
  }
}
