package org.ridestream.client;

import java.time.Duration;

/**
 * The stream broke. The driver reconnects automatically.
 *
 * @param retryIn time until it reconnects
 */
public record Disconnected(CallFailedException error, Duration retryIn) {}
