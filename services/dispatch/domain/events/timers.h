#pragma once

#include <compare>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "libs/base/clock.h"

namespace ridestream::dispatch {

/// The timers of a market, each with the id of its subject.
enum class TimerKind {
  kOfferEnds,              // an offer
  kAssignmentUnexplained,  // an assignment, which has an offer's id
  kMatchingRound,          // the market
  kRoundUnanswered,        // the market
  kTripWaitedTooLong,      // a trip
  kDriverLost,             // a driver
  kRouteUnanswered,        // a driver
  kCommandRetry,           // a trip
  kPromiseDue,             // a trip
  kDriverStaysAway,        // a trip
};

struct Timer {
  TimerKind kind;
  /// Empty for the market's own.
  std::string subject;

  friend auto operator<=>(const Timer&, const Timer&) = default;
};

/// All timers of a market, in one order: by time, then by kind and subject, so that the same timers
/// always fire in the same order. Not thread-safe.
class Timers {
 public:
  /// Each timer is set at most once: setting it again moves it.
  void Set(const Timer& timer, Time at);
  void Cancel(const Timer& timer);
  bool IsSet(const Timer& timer) const { return at_.contains(timer); }

  /// Takes out the first timer that is due at `now`, if there is one.
  std::optional<Timer> PopDue(Time now);

  std::optional<Time> Next() const;

 private:
  std::set<std::pair<Time, Timer>> order_;
  std::map<Timer, Time> at_;
};

}  // namespace ridestream::dispatch
