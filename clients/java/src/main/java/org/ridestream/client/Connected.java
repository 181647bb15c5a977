package org.ridestream.client;

/**
 * The stream is live.
 *
 * @param resumed whether the session went on; if not, what was pushed before is void
 */
public record Connected(boolean resumed, String sessionId, long epoch) {}
