#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/mutex.h"
#include "libs/server_streams/pull_stream.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/trip/handlers/log_follower.h"
#include "services/trip/handlers/log_tail.h"
#include "services/trip/handlers/trip_watcher.h"

namespace ridestream::trip {

/// One ReportProgress stream.
using ProgressReader = streams::PullStream<v1::ReportProgressRequest, v1::ReportProgressResponse>;

/// All subscribers to changes of trips: followers of the log, watchers of a trip, and the streams
/// that report progress to watchers. The store publishes to the feed, which must outlive the store.
/// Thread-safe. Streams are notified without holding the lock.
class TripFeed {
 public:
  /// `tail_events`: number of events at the end of the log that are kept in memory.
  explicit TripFeed(size_t tail_events = LogTail::kMaxEvents) : tail_(tail_events) {}

  /// Publishes durable events. Call with each event once, in the order of the log, from one thread
  /// at a time.
  void Publish(const std::vector<EventPtr>& events);
  /// Passes progress to the watchers of these trips.
  void Report(const v1::ReportProgressRequest& report);

  const LogTail& tail() const { return tail_; }

  /// UNAVAILABLE once the feed is closed.
  absl::Status Add(std::shared_ptr<LogFollower> follower);
  absl::Status Add(std::shared_ptr<TripWatcher> watcher);
  absl::Status Add(std::shared_ptr<ProgressReader> reader);
  /// Removes a stream that has ended. Unknown streams are ignored.
  void Remove(LogFollower* follower);
  void Remove(TripWatcher* watcher);
  void Remove(ProgressReader* reader);

  /// Ends all streams with UNAVAILABLE, including any opened later.
  void Close();

 private:
  using Watchers = std::vector<std::shared_ptr<TripWatcher>>;
  Watchers WatchersOf(const std::string& trip_id);

  LogTail tail_;
  Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::shared_ptr<LogFollower>> followers_ ABSL_GUARDED_BY(mu_);  // As they came.
  std::map<ProgressReader*, std::shared_ptr<ProgressReader>> readers_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, Watchers, std::less<>> watchers_ ABSL_GUARDED_BY(mu_);  // By trip id.
};

}  // namespace ridestream::trip
