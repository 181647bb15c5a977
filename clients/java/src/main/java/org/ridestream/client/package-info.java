/**
 * The driver's and the rider's side of Ridestream, over gRPC.
 *
 * <p>A {@link org.ridestream.client.Driver} holds one stream, which it keeps alive and resumes; a
 * {@link org.ridestream.client.Rider} makes calls, which it retries where that helps. Both refuse
 * with the service's words what the service would refuse.
 */
@NullMarked package org.ridestream.client;

import org.jspecify.annotations.NullMarked;
