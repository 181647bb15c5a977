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

/// What location holds, and how much of it.
struct LocationConfig {
  IndexOptions index = {};
  /// Whose positions are held; by default, of any market that reports.
  service::ServedMarkets markets = {};
  /// WatchArea streams at a time.
  size_t max_viewers = 100;
};

/// What every call of LocationService does, whatever carries it. Handlers check, ask the index and
/// answer at once, on the thread that calls them. The transport has found out who calls, and that
/// the method's policy permits it. Thread-safe. All calls must have ended before it is destroyed.
class LocationHandlers {
 public:
  /// The drivers that all answers of one FindNearest hold at most: about 3 MB, what a client reads
  /// by default.
  static constexpr size_t kMaxDriversPerCall = 50'000;

  /// A number of positions was applied, and the time that it took.
  using OnBatch = std::function<void(size_t positions, std::chrono::nanoseconds took)>;
  using PositionReader =
      streams::PullStream<v1::ReportPositionsRequest, v1::ReportPositionsResponse>;

  /// What it refers to must outlive it.
  struct Options {
    LocationConfig config = {};
    const Clock& clock;
    TimerPort& timers;  ///< For the frames of viewers.
    /// Told of each batch of positions that was applied, on the transport's threads; may be null.
    OnBatch on_batch = nullptr;
  };

  /// A call as its handler sees it.
  struct Call {
    /// Whether the caller cancelled. Null: nobody can tell.
    std::function<bool()> is_cancelled = nullptr;
  };

  explicit LocationHandlers(Options options);

  const LocationIndex& index() const { return index_; }
  /// Queries to FindNearest so far; a call holds many.
  std::uint64_t queries() const { return queries_.value(); }

  /// The stream reads from `reader`. UNAVAILABLE when draining.
  absl::StatusOr<std::shared_ptr<PositionReader>> ReportPositions(
      streams::StreamReader<v1::ReportPositionsResponse>& reader);
  absl::StatusOr<v1::FindNearestResponse> FindNearest(const Call& call,
                                                      const v1::FindNearestRequest& request);
  absl::StatusOr<v1::GetIndexStatsResponse> GetIndexStats(
      const v1::GetIndexStatsRequest& request) const;
  /// The stream writes to `writer`. RESOURCE_EXHAUSTED when there are as many as allowed,
  /// UNAVAILABLE when draining.
  absl::StatusOr<std::shared_ptr<AreaViewers::Stream>> WatchArea(
      const v1::WatchAreaRequest& request, AreaViewers::Writer& writer);

  /// Ends all streams with UNAVAILABLE, and opens no more.
  void Drain();

 private:
  /// What one ReportPositions does with its batches.
  class BatchApplier;

  /// FAILED_PRECONDITION when the market isn't served here.
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
