#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/base/sharded_counter.h"
#include "libs/base/timer_port.h"
#include "libs/server_streams/pull_stream.h"
#include "libs/server_streams/push_stream.h"
#include "libs/service/markets.h"
#include "ridestream/location/v1/location.pb.h"
#include "services/location/domain/location_index.h"
#include "services/location/handlers/area_viewers.h"

namespace ridestream::location {

/// Which positions location holds, and how many.
struct LocationConfig {
  IndexOptions index = {};
  /// Markets whose positions are held. Default: every market that reports.
  service::ServedMarkets markets = {};
  /// Maximum number of WatchArea streams that are open at the same time.
  size_t max_viewers = 100;
};

/// The logic of every LocationService call, independent of the transport. A handler validates the
/// request, asks the index and answers on the calling thread, without blocking. The transport has
/// authenticated the caller and checked the method's policy. Thread-safe. All calls must have ended
/// before it is destroyed.
class LocationHandlers {
 public:
  /// Maximum number of drivers in all answers of one FindNearest: at most 100 bytes each, so
  /// that the answer stays below the 4 MiB that a gRPC client accepts by default.
  static constexpr size_t kMaxDriversPerCall = 40'000;

  /// Called with the number of positions in a batch and the time that applying them took.
  using OnBatch = std::function<void(size_t positions, std::chrono::nanoseconds took)>;
  using PositionReader =
      streams::PullStream<v1::ReportPositionsRequest, v1::ReportPositionsResponse>;

  /// The objects that the arguments refer to must outlive this one.
  struct Options {
    LocationConfig config = {};
    const Clock& clock;
    TimerPort& timers;  ///< For the frames of viewers.
    /// Called for each batch that was applied, on the transport's threads. May be null.
    OnBatch on_batch = nullptr;
  };

  /// What a handler knows about its call.
  struct Call {
    /// Whether the caller has cancelled. Null if the transport can't say.
    std::function<bool()> is_cancelled = nullptr;
  };

  explicit LocationHandlers(Options options);

  const LocationIndex& index() const { return index_; }
  /// Number of queries answered by FindNearest since the start. One call holds many.
  std::uint64_t queries() const { return queries_.value(); }

  /// Opens a stream that reads batches from `reader`. UNAVAILABLE while draining.
  absl::StatusOr<std::shared_ptr<PositionReader>> ReportPositions(
      streams::StreamReader<v1::ReportPositionsResponse>& reader);
  absl::StatusOr<v1::FindNearestResponse> FindNearest(const Call& call,
                                                      const v1::FindNearestRequest& request);
  absl::StatusOr<v1::GetIndexStatsResponse> GetIndexStats(
      const v1::GetIndexStatsRequest& request) const;
  /// Opens a stream that writes frames to `writer`. RESOURCE_EXHAUSTED when `max_viewers` are open,
  /// UNAVAILABLE while draining.
  absl::StatusOr<std::shared_ptr<AreaViewers::Stream>> WatchArea(
      const v1::WatchAreaRequest& request, AreaViewers::Writer& writer);

  /// Ends all streams with UNAVAILABLE and refuses new ones.
  void Drain();

 private:
  /// Applies the batches of one ReportPositions stream.
  class BatchApplier;

  /// FAILED_PRECONDITION if this process doesn't serve the market.
  absl::Status CheckServed(const std::string& market) const {
    return options_.config.markets.Check(market, "market");
  }

  const Options options_;
  LocationIndex index_;
  AreaViewers viewers_;
  ShardedCounter queries_;
  Mutex mu_;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  std::map<PositionReader*, std::shared_ptr<PositionReader>> reporters_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::location
