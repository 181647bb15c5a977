#pragma once

#include <utility>
#include <vector>

#include "libs/base/clock.h"
#include "services/dispatch/domain/events/market_events.h"

namespace ridestream::dispatch {

/// The handling of one event by the parts of a market: its time, and the decisions so far.
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
