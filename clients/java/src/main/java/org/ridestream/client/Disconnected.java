package org.ridestream.client;

import java.time.Duration;

/**
 * The stream broke. The driver connects again by itself.
 *
 * @param retryIn when it does
 */
public record Disconnected(CallFailedException error, Duration retryIn) {}
