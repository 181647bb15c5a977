#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/base/mutex.h"
#include "libs/roads/graph/road_graph.h"
#include "libs/rpc/channel_pool.h"
#include "loadtest/rider/rider.h"

namespace ridestream::loadtest {

/// All riders: makes each when its request is due, whatever became of those before (open loop), and
/// All riders: creates each rider when its request is due, whatever happened to earlier ones (open
/// loop), and keeps the histories of finished riders. Thread-safe.
///
/// Order of locks: none; a rider's lock and the crowd's are never held together.
class Crowd {
 public:
  struct Options {
    /// The prefix of all riders' ids; different for each run, because requests are idempotent per
    /// rider.
    std::string id_prefix;
    std::uint64_t seed = 1;
    /// Number of riders, from the first on, whose requests are traced.
    std::size_t traced_rides = 0;
    /// Creates a channel with its own connection. Called for as many as the riders need.
    rpc::ChannelPool::MakeChannel make_channel;
  };
  /// References must outlive it.
  Crowd(Options options, RiderWorld world, const roads::RoadGraph& graph,
        std::unique_ptr<Demand> demand);
  /// Stops.
  ~Crowd();

  /// Creates riders from now on, for `load` of city time.
  void Start(Duration load);
  /// Creates no more riders.
  void StopRequests();
  /// Calls RiderBehaviour::Leave for all riders.
  void Leave();
  /// Waits until all requests have been made and all riders have finished.
  void WaitUntilIdle();
  /// Waits for all running calls; the histories remain. Idempotent.
  void Stop();

  /// Number of riders who haven't finished.
  size_t active() const;
  /// Visits every rider of the run, unordered; call after Stop.
  template <class Function>
  void ForEachHistory(Function function) const {
    MutexLock lock(mu_);
    for (const RiderHistory& history : histories_) function(history);
  }

 private:
  void Arrive();
  void ArmArrival() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::shared_ptr<Rider> MakeRider(const Request& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnDone(Rider& rider, size_t number);
  std::vector<std::shared_ptr<Rider>> Active() const;

  const Options options_;
  const RiderWorld world_;
  const roads::RoadGraph& graph_;
  rpc::ChannelPool channels_;
  mutable Mutex mu_;
  CondVar changed_;
  const std::unique_ptr<Demand> demand_ ABSL_PT_GUARDED_BY(mu_);
  std::mt19937_64 places_ ABSL_GUARDED_BY(mu_);
  std::optional<Request> next_ ABSL_GUARDED_BY(mu_);
  Time start_ ABSL_GUARDED_BY(mu_){};
  Duration load_ ABSL_GUARDED_BY(mu_){};
  TimerQueue::Handle arrival_ ABSL_GUARDED_BY(mu_) = 0;
  size_t riders_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<size_t, std::shared_ptr<Rider>> active_ ABSL_GUARDED_BY(mu_);
  std::vector<RiderHistory> histories_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::loadtest
