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

/// Dispatch's market on a Slice: all riders request at once, drivers accept and services answer at
/// once, and nobody moves while the market decides. Not thread-safe.
class StillCity {
 public:
  struct Result {
    /// The cost by CostOf, over all cars, and of the unserved riders.
    Duration cost{};
    std::size_t served = 0;
    /// Number of plans that CostOf rejects.
    std::size_t broken = 0;
  };

  /// Both must outlive it.
  StillCity(const Slice& slice, const roads::Router& router, const trip::SharingTerms& terms);

  /// Runs until the market has had `rounds` rounds after all requests. Call once.
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
