package org.ridestream.client;

/**
 * Returns a valid token. Called before every call and stream, in any thread, so it should cache the
 * token and return quickly.
 */
@FunctionalInterface
public interface TokenSource {
  String token() throws Exception;
}
