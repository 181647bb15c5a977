// Package ridestream has the driver's and the rider's side of Ridestream, over gRPC.
//
// A [Driver] holds one stream, which it keeps alive and resumes; a [Rider] makes calls, which it
// retries where that helps. Both refuse with the service's words what the service would refuse.
package ridestream
