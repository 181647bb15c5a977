// Package ridestream is a client library for drivers and riders of Ridestream, over gRPC.
//
// A [Driver] keeps a stream open and resumes it after breaks; a [Rider] makes calls and retries those that may
// succeed later. Both reject invalid arguments before a call, with the service's error messages.
package ridestream
