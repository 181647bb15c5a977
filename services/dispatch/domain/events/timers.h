#pragma once

#include <compare>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "libs/base/clock.h"

namespace ridestream::dispatch {

/// The kinds of timers of a market. Each timer has the id of its subject.
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
  /// Empty for timers of the market itself.
  std::string subject;

  friend auto operator<=>(const Timer&, const Timer&) = default;
};

/// All timers of a market in a total order: by time, then by kind and subject, so that equal timers
/// always fire in the same order. Not thread-safe.
class Timers {
 public:
  /// Sets a timer, or moves it if it is set already.
  void Set(const Timer& timer, Time at);
  void Cancel(const Timer& timer);
  bool IsSet(const Timer& timer) const { return at_.contains(timer); }

  /// Removes and returns the first timer that is due at `now`, if any.
  std::optional<Timer> PopDue(Time now);

  std::optional<Time> Next() const;

 private:
  std::set<std::pair<Time, Timer>> order_;
  std::map<Timer, Time> at_;
};

}  // namespace ridestream::dispatch
