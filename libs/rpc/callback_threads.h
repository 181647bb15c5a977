#pragma once

namespace ridestream::rpc {

/// Keeps gRPC's callback threads alive until the process exits. Must be called before a process's
/// first channel is used, and may be called again. Thread-safe.
///
/// They end with the process's last channel that used them, and whoever releases that channel waits
/// for them. In gRPC 1.51 a reaction must not do that: its thread would wait for itself, and then
/// continue with freed memory. But a call holds its channel, and ends in a reaction. So one unused
/// channel is kept.
void KeepCallbackThreads();

}  // namespace ridestream::rpc
