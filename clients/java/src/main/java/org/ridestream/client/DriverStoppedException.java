package org.ridestream.client;

/** The driver was closed before a command took effect. */
public final class DriverStoppedException extends RidestreamException {
  private static final long serialVersionUID = 1;

  DriverStoppedException() {
    super("the driver was closed", null);
  }
}
