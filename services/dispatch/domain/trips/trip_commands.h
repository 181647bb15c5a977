#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/id.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/events/step.h"
#include "services/dispatch/domain/events/timers.h"

namespace ridestream::dispatch {

using TripRequest = decltype(TripCommand::request);
/// The driver's message that led to a command, for the answer; nullopt if the market decided it.
using CommandOrigin = std::variant<std::monostate, v1::StopUpdate, v1::GiveUp>;

struct PendingCommand {
  std::uint64_t id = 0;
  TripRequest request;
  CommandOrigin origin;
  /// How often its outcome stayed unknown.
  int failures = 0;
};

/// The pause before a command whose outcome is unknown is sent again: at most `first`, which
/// doubles with each further failure up to `longest`, and at least half of that.
struct RetryPauses {
  Duration first;
  Duration longest;
};

/// Whether this failure leaves it unknown whether the command was carried out. The trip service's
/// commands are idempotent, so repeating one returns its outcome.
bool IsOutcomeOpen(const absl::Status& status);

TripId TripOf(const TripRequest& request);
/// Empty for a GiveUpTrip and a CancelTrip.
DriverId DriverOf(const TripRequest& request);

/// The commands to the trip service without a definite answer yet. Commands for the same trip are
/// sent one after the other, so that ABOARD never overtakes ARRIVED, and each is repeated until its
/// outcome is known. A duplicate of a waiting command is dropped, which bounds a trip's queue to
/// one command of each kind, step and driver. Not thread-safe.
class TripCommands {
 public:
  TripCommands(const RetryPauses& pauses, Timers& timers) : pauses_(pauses), timers_(timers) {}

  void Send(TripRequest request, CommandOrigin origin, Step& step);

  /// Handles an answer. Returns the command if the answer settles it; the caller must then call
  /// SendNext. Returns nullopt if the command will be repeated, or is unknown.
  std::optional<PendingCommand> Settle(std::uint64_t command, const absl::Status& outcome,
                                       Step& step);
  void SendNext(const TripId& trip, Step& step);

  /// The pause after an unknown outcome is over.
  void Resend(const TripId& trip, Step& step);
  /// The trip service has answered: all pauses end.
  void ResendAll(Step& step);

  /// The trip has ended: drops its commands.
  void DropAll(const TripId& trip);

  /// Whether Send would drop the command as a duplicate.
  bool IsWaiting(const TripRequest& request) const;

  template <class Request>
  bool IsPending(const TripId& trip) const {
    const auto line = lines_.find(trip);
    return line != lines_.end() &&
           std::any_of(line->second.begin(), line->second.end(), [](const PendingCommand& pending) {
             return std::holds_alternative<Request>(pending.request);
           });
  }

 private:
  /// Derives the jitter of a pause from the command's number. So commands that failed together
  /// aren't repeated together, and equal events give equal decisions.
  Duration PauseAfter(const PendingCommand& failed) const;

  const RetryPauses pauses_;
  Timers& timers_;
  std::uint64_t last_id_ = 0;
  /// Only the first command of each queue has been sent.
  std::map<TripId, std::deque<PendingCommand>> lines_;
  absl::flat_hash_map<std::uint64_t, TripId> sent_;
};

}  // namespace ridestream::dispatch
