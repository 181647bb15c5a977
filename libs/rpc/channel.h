#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"

namespace ridestream::rpc {

/// How soon a silent connection is given up: at the latest `time` and `timeout` after its other end
/// went silent.
struct Keepalive {
  std::chrono::milliseconds time{20'000};
  std::chrono::milliseconds timeout{10'000};
};
/// Between services: whoever follows a log or reports positions hears nothing else of a network
/// that lost its connection, and all that a market does waits for it.
inline constexpr Keepalive kInnerKeepalive{std::chrono::seconds(3), std::chrono::seconds(1)};

/// The bound of a call's metadata in each direction: names and values, with 32 bytes for each pair.
/// gRPC 1.51 closes the whole connection beyond that, so clients that share one with others must
/// bound what they send.
inline constexpr int kMaxMetadataBytes = 16 << 10;

struct ChannelOptions {
  /// Full names ("ridestream.trip.v1.TripService") of services all of whose unary calls are
  /// idempotent: gRPC itself retries them on UNAVAILABLE, at most 5 tries with jittered pauses.
  std::vector<std::string> retried_services = {};
  /// Channels of the same target with different numbers have connections of their own.
  int connection = 0;
  Keepalive keepalive = {};
  /// How long an attempt to connect may take, handshake included. Short: a server that has moved is
  /// soon found. Long: many clients who call at the same time get through their handshakes, while
  /// attempts that are given up would only add to the server's work.
  std::chrono::milliseconds connect_within{2'000};
  /// Where the target names several processes: the part of them whose health is watched, e.g. a
  /// market; empty for a process as a whole.
  std::string health_part = {};
  /// How the connection is secured. Null: as ClientSecurity says, else plaintext.
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;
};

/// Whether `target` lists several processes: "127.0.0.1:1,127.0.0.1:2".
bool NamesSeveral(const std::string& target);

/// A channel with keepalive, quick reconnects and retries by gRPC's service config. Connects when
/// first used.
///
/// `target`: HOST:PORT; or several IP addresses of one family with their ports, separated by
/// commas. The channel watches the health of each of them and sends calls only to those that are
/// SERVING: of several dispatch processes, the one that holds the market's lease. While none is,
/// calls fail with UNAVAILABLE.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const ChannelOptions& options = {});

/// Gives `context` a deadline `timeout` of wall time from now.
void SetTimeout(grpc::ClientContext& context, std::chrono::milliseconds timeout);

}  // namespace ridestream::rpc
