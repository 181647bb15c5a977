#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"

namespace ridestream::rpc {

/// How soon a dead connection with an open call is detected: at most `time` plus `timeout` after
/// the other end went silent.
struct Keepalive {
  std::chrono::milliseconds time{20'000};
  std::chrono::milliseconds timeout{10'000};
};
/// For connections between services. A follower of a log or a reporter of positions has no other
/// way to notice a dead connection, and the whole market waits for it. gRPC sends no more than one
/// PING a second.
inline constexpr Keepalive kInnerKeepalive{std::chrono::seconds(1), std::chrono::seconds(1)};

/// The bound of a call's metadata in each direction: names and values, with 32 bytes for each pair.
/// gRPC 1.51 closes the whole connection beyond that, so clients that share a connection must bound
/// what they send.
inline constexpr int kMaxMetadataBytes = 16 << 10;

struct ChannelOptions {
  /// Full names ("ridestream.trip.v1.TripService") of services whose unary calls are all
  /// idempotent. gRPC retries them on UNAVAILABLE, and on CANCELLED, with which a server that
  /// begins to drain may refuse a call: at most 5 attempts with jittered pauses. The program must
  /// contain the services' generated code.
  std::vector<std::string> retried_services = {};
  /// Channels with the same target but different numbers have separate connections.
  int connection = 0;
  Keepalive keepalive = {};
  /// Time limit of a connection attempt, including the handshake. With a short limit, a service
  /// that has moved is found soon. With a long one, many clients that connect at the same time
  /// complete their handshakes, while abandoned attempts would only add to the server's work.
  std::chrono::milliseconds connect_within{2'000};
  /// If the target lists several processes: the part whose health is watched, e.g. a market; empty
  /// for the process as a whole.
  std::string health_part = {};
  /// How the connection is secured. Null: as ClientSecurity says, otherwise plaintext.
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;
};

/// Whether `target` lists several processes: "127.0.0.1:1,127.0.0.1:2".
bool IsAddressList(const std::string& target);

/// A channel with keepalive, quick reconnects, and retries by gRPC's service config. Connects at
/// first use.
///
/// `target`: HOST:PORT, or several IP addresses of one family with their ports, separated by
/// commas. For several, the channel watches the health of each and sends calls only to those that
/// are SERVING, e.g. to the dispatch process that holds the market's lease. While none is SERVING,
/// calls fail with UNAVAILABLE.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const ChannelOptions& options = {});

/// Gives `context` a deadline `timeout` of wall time from now.
void SetTimeout(grpc::ClientContext& context, std::chrono::milliseconds timeout);

}  // namespace ridestream::rpc
