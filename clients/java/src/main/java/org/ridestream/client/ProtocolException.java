package org.ridestream.client;

/** The service violated the protocol. */
public final class ProtocolException extends RidestreamException {
  private static final long serialVersionUID = 1;

  ProtocolException(String message) {
    super(message, null);
  }
}
