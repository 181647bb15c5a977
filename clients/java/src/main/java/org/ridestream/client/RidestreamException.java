package org.ridestream.client;

import org.jspecify.annotations.Nullable;

/** The base class of all exceptions that this library throws on purpose. */
public class RidestreamException extends RuntimeException {
  private static final long serialVersionUID = 1;

  RidestreamException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
