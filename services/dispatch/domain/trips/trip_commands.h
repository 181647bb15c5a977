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
/// What the driver sent that led to a command, for the answer; nothing if the market decided it.
using CommandOrigin = std::variant<std::monostate, v1::StopUpdate, v1::GiveUp>;

struct PendingCommand {
  std::uint64_t id = 0;
  TripRequest request;
  CommandOrigin origin;
  /// So often its outcome stayed open.
  int failures = 0;
};

/// The pause before a command whose outcome is open is sent again: at most `first`, which doubles
/// with each further failure up to `longest`; and at least half of that.
struct RetryPauses {
  Duration first;
  Duration longest;
};

/// True if it is unknown after this failure whether the command was carried out. Trip's commands
/// are idempotent, so a repetition gets the outcome.
bool IsOutcomeOpen(const absl::Status& status);

TripId TripOf(const TripRequest& request);
/// Empty for a GiveUpTrip and a CancelTrip.
DriverId DriverOf(const TripRequest& request);

/// The commands to trip that have no definite answer yet. Those about one trip go one after the
/// other, so that ABOARD never overtakes ARRIVED, each again and again until its outcome is known.
/// A repeat of one that waits already is dropped, which bounds the line of a trip to one of each
/// kind, step and driver. Not thread-safe.
class TripCommands {
 public:
  TripCommands(const RetryPauses& pauses, Timers& timers) : pauses_(pauses), timers_(timers) {}

  void Send(TripRequest request, CommandOrigin origin, Step& step);

  /// Takes an answer in. Returns the command if this settles it, and then the caller lets the
  /// trip's next one go by SendNext; nothing if it is to be asked again or isn't known (any more).
  std::optional<PendingCommand> Settle(std::uint64_t command, const absl::Status& outcome,
                                       Step& step);
  void SendNext(const TripId& trip, Step& step);

  /// The pause after an open outcome is over.
  void Resend(const TripId& trip, Step& step);
  /// Trip has answered: no command pauses any more.
  void ResendAll(Step& step);

  /// The trip has ended: nothing about it needs to be known any more.
  void DropAll(const TripId& trip);

  /// Whether Send would drop it as a repeat.
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
  /// Where in its bounds a pause lies is made from the command's number: those that failed together
  /// don't come again together, and the same events give the same decisions.
  Duration PauseAfter(const PendingCommand& failed) const;

  const RetryPauses pauses_;
  Timers& timers_;
  std::uint64_t last_id_ = 0;
  /// Only the first of each line has been sent.
  std::map<TripId, std::deque<PendingCommand>> lines_;
  absl::flat_hash_map<std::uint64_t, TripId> sent_;
};

}  // namespace ridestream::dispatch
