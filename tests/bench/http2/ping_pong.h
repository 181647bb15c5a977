#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/mutex.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"
#include "tests/bench/stream/bench_driver.h"

namespace ridestream::bench {

/// Round-trip times in microseconds, ascending; at least one.
struct RoundTrips {
  std::vector<std::int64_t> micros;

  std::int64_t Quantile(double quantile) const;
  std::size_t CountAbove(std::int64_t bound) const;
};

/// Open Drive calls to a BareDispatch. In a round each call sends a message, waits for the answer,
/// and sends the next. Used by one thread.
class PingPong {
 public:
  /// Opens `streams` calls, spread evenly over the channels, and waits until each is answered.
  /// Returns the first error if a call fails.
  static absl::StatusOr<std::unique_ptr<PingPong>> Open(
      const std::vector<std::shared_ptr<grpc::Channel>>& channels, int streams);
  /// Ends the calls.
  ~PingPong();

  /// `pings` round trips of each call. DEADLINE_EXCEEDED after two minutes.
  absl::StatusOr<RoundTrips> Round(int pings);

 private:
  struct Player {
    std::unique_ptr<BenchDriver> driver;
    std::chrono::steady_clock::time_point sent;
    int left = 0;
  };

  PingPong() = default;
  void Ping(Player& player);
  void OnHeartbeat(Player& player);

  std::vector<std::unique_ptr<dispatch::v1::DispatchService::Stub>> stubs_;
  Mutex mu_;
  CondVar changed_;
  std::size_t players_left_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<std::int64_t> micros_ ABSL_GUARDED_BY(mu_);
  /// A player's fields are used by Round while it has no ping in flight, else by its call's
  /// reactions.
  std::deque<Player> players_;
};

/// Channels to `address`, each with a connection of its own.
std::vector<std::shared_ptr<grpc::Channel>> OwnConnections(
    const std::string& address, int count,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials = nullptr);

}  // namespace ridestream::bench
