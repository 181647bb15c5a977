#pragma once

#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "services/dispatch/domain/events/market_events.h"

namespace ridestream::dispatch {

/// One event's way through the parts of a market: when it is, and what was decided so far.
class Step {
 public:
  explicit Step(Time now) : now_(now) {}

  Time now() const { return now_; }

  template <class D>
  void Decide(D decision) {
    decisions_.emplace_back(std::move(decision));
  }

  std::vector<Decision> TakeDecisions() { return std::move(decisions_); }

 private:
  const Time now_;
  std::vector<Decision> decisions_;
};

}  // namespace ridestream::dispatch
