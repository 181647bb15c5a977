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
/// keeps the histories of those who are done. Thread-safe.
///
/// Order of locks: none; a rider's and the crowd's are never held together.
class Crowd {
 public:
  struct Options {
    /// Begins all riders' ids; different for each run, since a rider's requests are one's own.
    std::string id_prefix;
    std::uint64_t seed = 1;
    /// Riders, from the first on, whose requests ask to be traced.
    std::size_t traced_rides = 0;
    /// Makes a channel with a connection of its own. Called for as many as the riders need.
    rpc::ChannelPool::MakeChannel make_channel;
  };
  /// References must outlive it.
  Crowd(Options options, RiderWorld world, const roads::RoadGraph& graph,
        std::unique_ptr<Demand> demand);
  /// Stops.
  ~Crowd();

  /// Requests come from now on, for `load` of city time.
  void Start(Duration load);
  /// No more requests.
  void StopAsking();
  /// See RiderBehaviour::Leave, for all.
  void Leave();
  /// Waits until all requests have come and all riders are done.
  void WaitUntilIdle();
  /// Waits for all calls under way; histories stay. Idempotent.
  void Stop();

  /// Riders with a wish that isn't done.
  size_t active() const;
  /// Visits every rider there was, in no order; call after Stop.
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
