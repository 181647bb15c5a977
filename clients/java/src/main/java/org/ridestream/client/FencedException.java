package org.ridestream.client;

import io.grpc.Status;

/** A newer stream of the same driver took over: another device drives. */
public final class FencedException extends CallFailedException {
  private static final long serialVersionUID = 1;

  FencedException(String description) {
    super(Status.Code.ABORTED, description, null);
  }
}
