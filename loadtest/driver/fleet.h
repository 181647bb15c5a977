#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_queue.h"
#include "loadtest/driver/driver_behaviour.h"
#include "loadtest/report/tally.h"
#include "loadtest/rider/first_offers.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"

namespace ridestream::loadtest {

/// All drivers of the city, each with its stream; timers in one queue, streams over a few
/// shared connections. Thread-safe.
///
/// Order of locks: a driver's, then its stream's or the fleet's.
class Fleet {
 public:
  struct Options {
    std::vector<DriverBehaviour::Identity> drivers;
    DriverHabits habits;
    std::uint64_t seed = 1;
    /// Streams opened per second of wall time. 10,000 at once would overload everything else.
    int connects_per_s = 2'000;
    /// One for each connection.
    std::vector<std::shared_ptr<grpc::Channel>> channels;
  };
  /// References must outlive it.
  Fleet(Options options, const Cruises& cruises, std::shared_ptr<const Clock> clock,
        TimerQueue& timers, Tally& tally, FirstOffers& first_offers);
  /// Stops.
  ~Fleet();

  /// Makes the drivers connect.
  void Start();
  /// See DriverBehaviour::Park.
  void Park();
  /// Closes all streams and waits for their end. Idempotent.
  void Stop();

  size_t size() const { return drivers_.size(); }
  /// Number of drivers who have or had a session.
  size_t welcomed() const;
  size_t unsettled() const;
  /// Why the latest stream ended that its driver didn't cut; OK if there is none.
  absl::Status last_error() const;
  /// Passes a copy of each driver's history to `function`, for the auditor.
  template <class Function>
  void ForEachHistory(Function function) const {
    for (size_t i = 0; i < drivers_.size(); ++i) function(HistoryOf(i));
  }

 private:
  class Driver;
  friend class Driver;
  DriverHistory HistoryOf(size_t driver) const;
  void OnStreamOpened();
  void OnStreamClosed(const absl::Status& status);

  const Options options_;
  const std::shared_ptr<const Clock> clock_;
  TimerQueue& timers_;
  Tally& tally_;
  FirstOffers& first_offers_;
  std::vector<std::unique_ptr<dispatch::v1::DispatchService::Stub>> stubs_;
  std::vector<std::shared_ptr<Driver>> drivers_;

  mutable Mutex mu_;
  CondVar closed_;
  size_t open_streams_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Status last_error_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::loadtest
