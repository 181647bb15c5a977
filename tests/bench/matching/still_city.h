#pragma once

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "libs/roads/engine/router.h"
#include "services/dispatch/candidates/round_search.h"
#include "services/dispatch/domain/market/market.h"
#include "tests/bench/matching/slice.h"
#include "tests/bench/matching/virtual_trips.h"

namespace ridestream::bench {

/// Dispatch's own market before a Slice: all ask at once, drivers accept at once, all answers come
/// at once, and while the market thinks nobody moves. Not thread-safe.
class StillCity {
 public:
  struct Result {
    /// As CostOf counts it, over all cars, and of the riders nobody serves.
    Duration cost{};
    std::size_t served = 0;
    /// Plans that CostOf refuses.
    std::size_t broken = 0;
  };

  /// Both must outlive it.
  StillCity(const Slice& slice, const roads::Router& router, const trip::SharingTerms& terms);

  /// Once: until the market has been left alone for `rounds` rounds after all had come.
  Result Run(int rounds);

 private:
  void Handle(const dispatch::Event& event);
  void Drain();
  void Do(const dispatch::SendWelcome&) {}
  void Do(const dispatch::EndSession&) {}
  void Do(const dispatch::Push& decision);
  void Do(const dispatch::SetAvailability& decision);
  void Do(const dispatch::FindCandidates& decision);
  void Do(const dispatch::FindRoute& decision);
  void Do(const dispatch::TripCommand& decision);
  void Do(const dispatch::ReportProgress&) {}
  void Do(const dispatch::StepJudged&) {}
  void Do(const dispatch::StreetsDriven&) {}
  void Do(const dispatch::SetSurge&) {}
  std::vector<dispatch::NearbyDriver> Nearest(const dispatch::FindCandidates::Query& query) const;
  Result Measure() const;

  const Slice& slice_;
  const roads::Router& router_;
  Time now_ = ScaledClock::kAnchor;
  VirtualTrips trips_;
  dispatch::Market market_;
  dispatch::RoundSearch search_;
  std::deque<dispatch::Event> events_;
  std::set<DriverId> idle_;
  std::map<DriverId, dispatch::v1::Plan> plans_;
};

}  // namespace ridestream::bench
