#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "grpcpp/grpcpp.h"

namespace ridestream::rpc {

/// Channels to one server, made as they are needed: a server admits a bounded number of streams on
/// a connection, and gRPC lets the calls beyond it wait without notice. Thread-safe.
class ChannelPool {
 public:
  /// Makes a channel that has a connection of its own; see ChannelOptions::connection. Called under
  /// the pool's lock, for connections 0, 1, 2 …
  using MakeChannel = std::function<std::shared_ptr<grpc::Channel>(int connection)>;
  struct Options {
    /// Below the server's --max_streams_per_connection, since the server may still count a call
    /// that has ended here.
    int streams_per_channel = 80;
    /// When all of these are full, the least used one takes more.
    int max_channels = 256;
  };

  ChannelPool(MakeChannel make, Options options);
  explicit ChannelPool(MakeChannel make) : ChannelPool(std::move(make), Options()) {}

  /// Returns the first channel with a free place, for one stream at a time. The place is free again
  /// when the last copy of the pointer is gone, which may be after the pool.
  std::shared_ptr<grpc::Channel> Take();

  /// Channels made so far.
  std::size_t size() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace ridestream::rpc
