#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "grpcpp/grpcpp.h"

namespace ridestream::rpc {

/// Channels to one server, created on demand: a server admits a limited number of streams on a
/// connection, and gRPC silently queues further calls. Thread-safe.
class ChannelPool {
 public:
  /// Creates a channel with its own connection; see ChannelOptions::connection. Called under the
  /// pool's lock, for connections 0, 1, 2 …
  using MakeChannel = std::function<std::shared_ptr<grpc::Channel>(int connection)>;
  struct Options {
    /// Less than the server's --max_streams_per_connection, because the server may still count a
    /// call that has ended here.
    int streams_per_channel = 80;
    /// When all of these are full, the least loaded one is used.
    int max_channels = 256;
  };

  ChannelPool(MakeChannel make, Options options);
  explicit ChannelPool(MakeChannel make) : ChannelPool(std::move(make), Options()) {}

  /// Returns the first channel with a free place, for one stream at a time. The place is released
  /// with the last copy of the pointer, which may outlive the pool.
  std::shared_ptr<grpc::Channel> Take();

  /// Number of channels created so far.
  std::size_t size() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace ridestream::rpc
