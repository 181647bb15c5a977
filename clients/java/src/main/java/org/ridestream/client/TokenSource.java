package org.ridestream.client;

/**
 * Returns a token that is valid now. Called for every call and every stream, by any thread, so it
 * should cache, and answer soon.
 */
@FunctionalInterface
public interface TokenSource {
  String token() throws Exception;
}
