package org.ridestream.client;

/**
 * The stream is open.
 *
 * @param resumed whether the session was resumed; if not, all earlier pushes are void
 */
public record Connected(boolean resumed, String sessionId, long epoch) {}
