#pragma once

namespace ridestream::process {

/// A TCP port of 127.0.0.1 that nobody listens on now, for a program that must be told its port
/// before it starts, or must come back on it. Taken at random from 20000 to 31999, below the range
/// from which the kernel takes ports for outgoing connections: while the program is down nobody
/// gets its port, and a proxy that tries to reach it can't meet itself.
int FreePort();

}  // namespace ridestream::process
