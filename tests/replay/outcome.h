#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "loadtest/report/histogram.h"
#include "services/dispatch/domain/events/market_events.h"

namespace ridestream::replay {

/// The outcome of the riders' trips, from trip's log. Not thread-safe.
class Outcome {
 public:
  /// Records an event of the market.
  void Note(const dispatch::Event& event);

  std::uint64_t requests() const { return requests_; }
  std::uint64_t completed() const { return completed_; }
  /// Trips given up without a driver.
  std::uint64_t unserved() const { return unserved_; }
  std::uint64_t cancelled() const { return cancelled_; }
  /// Mean time from the request to the driver's arrival, of completed trips.
  double wait_mean_s() const { return wait_us_.mean() / 1e6; }
  double wait_p95_s() const { return static_cast<double>(wait_us_.Quantile(0.95)) / 1e6; }

 private:
  std::map<std::string, std::uint64_t> versions_;  // The newest version seen of each trip.
  std::uint64_t requests_ = 0;
  std::uint64_t completed_ = 0;
  std::uint64_t unserved_ = 0;
  std::uint64_t cancelled_ = 0;
  loadtest::Histogram wait_us_;
};

}  // namespace ridestream::replay
