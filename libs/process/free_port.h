#pragma once

namespace ridestream::process {

/// A TCP port of 127.0.0.1 that nobody listens on now, for a program that must know its port before
/// it starts, or must reuse it after a restart. It is drawn from 20000 to 31999, below the kernel's
/// range for outgoing connections: while the program is down the kernel can't assign its port to
/// another connection, and a proxy that connects to it can't connect to itself.
int FreePort();

}  // namespace ridestream::process
