#include "services/dispatch/domain/trips/trip_commands.h"

#include <algorithm>
#include <utility>

#include "libs/base/invariant.h"

namespace ridestream::dispatch {
namespace {

Timer RetryTimer(const TripId& trip) { return {TimerKind::kCommandRetry, trip.str()}; }

/// SplitMix64's output function (G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number
/// Generators", 2014).
std::uint64_t Mix(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

bool IsRepeat(const TripRequest& a, const TripRequest& b) {
  if (a.index() != b.index() || DriverOf(a) != DriverOf(b)) return false;
  if (const auto* advance = std::get_if<trip::v1::AdvanceTripRequest>(&a)) {
    return advance->to() == std::get<trip::v1::AdvanceTripRequest>(b).to();
  }
  if (const auto* report = std::get_if<trip::v1::ReportDriverLostRequest>(&a)) {
    return report->lost() == std::get<trip::v1::ReportDriverLostRequest>(b).lost();
  }
  return true;
}

}  // namespace

bool IsOutcomeOpen(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kResourceExhausted:
      return true;
    default:
      return false;
  }
}

TripId TripOf(const TripRequest& request) {
  return std::visit([](const auto& r) { return TripId(r.trip_id()); }, request);
}

DriverId DriverOf(const TripRequest& request) {
  struct {
    DriverId operator()(const trip::v1::AssignTripRequest& r) const {
      return DriverId(r.driver().driver_id());
    }
    DriverId operator()(const trip::v1::AdvanceTripRequest& r) const {
      return DriverId(r.driver_id());
    }
    DriverId operator()(const trip::v1::ReleaseTripRequest& r) const {
      return DriverId(r.driver_id());
    }
    DriverId operator()(const trip::v1::GiveUpTripRequest&) const { return {}; }
    DriverId operator()(const trip::v1::ReportDriverLostRequest& r) const {
      return DriverId(r.driver_id());
    }
    DriverId operator()(const trip::v1::CancelTripRequest&) const { return {}; }
  } driver_of;
  return std::visit(driver_of, request);
}

void TripCommands::Send(TripRequest request, CommandOrigin origin, Step& step) {
  const TripId trip = TripOf(request);
  auto& line = lines_[trip];
  for (PendingCommand& pending : line) {
    if (!IsRepeat(pending.request, request)) continue;
    // The driver gives up a trip that is being released because the driver is lost. The driver must
    // receive a failure.
    if (std::holds_alternative<std::monostate>(pending.origin)) pending.origin = std::move(origin);
    return;
  }
  line.push_back({++last_id_, std::move(request), std::move(origin)});
  if (line.size() == 1) SendNext(trip, step);
}

bool TripCommands::IsWaiting(const TripRequest& request) const {
  const auto line = lines_.find(TripOf(request));
  return line != lines_.end() &&
         std::any_of(line->second.begin(), line->second.end(), [&](const PendingCommand& pending) {
           return IsRepeat(pending.request, request);
         });
}

std::optional<PendingCommand> TripCommands::Settle(std::uint64_t command,
                                                   const absl::Status& outcome, Step& step) {
  const auto sent = sent_.find(command);
  if (sent == sent_.end()) return std::nullopt;
  const TripId trip = sent->second;
  const auto line = lines_.find(trip);
  if (!RIDESTREAM_INVARIANT(line != lines_.end(), "a command that was sent waits")) {
    sent_.erase(sent);
    return std::nullopt;
  }
  if (IsOutcomeOpen(outcome)) {
    PendingCommand& failed = line->second.front();
    ++failed.failures;
    timers_.Set(RetryTimer(trip), step.now() + PauseAfter(failed));
    return std::nullopt;
  }
  sent_.erase(sent);
  timers_.Cancel(RetryTimer(trip));
  PendingCommand settled = std::move(line->second.front());
  line->second.pop_front();
  if (line->second.empty()) lines_.erase(line);
  return settled;
}

void TripCommands::SendNext(const TripId& trip, Step& step) {
  const auto line = lines_.find(trip);
  if (line == lines_.end()) return;
  const PendingCommand& first = line->second.front();
  if (sent_.try_emplace(first.id, trip).second) {
    step.Decide(TripCommand{first.id, first.request});
  }
}

void TripCommands::Resend(const TripId& trip, Step& step) {
  const auto line = lines_.find(trip);
  if (line == lines_.end()) return;
  const PendingCommand& first = line->second.front();
  step.Decide(TripCommand{first.id, first.request});
}

void TripCommands::ResendAll(Step& step) {
  for (const auto& [trip, line] : lines_) {
    if (!timers_.IsSet(RetryTimer(trip))) continue;
    timers_.Cancel(RetryTimer(trip));
    step.Decide(TripCommand{line.front().id, line.front().request});
  }
}

Duration TripCommands::PauseAfter(const PendingCommand& failed) const {
  Duration most = pauses_.first;
  for (int i = 1; i < failed.failures && most < pauses_.longest; ++i) most *= 2;
  most = std::min(most, pauses_.longest);
  const std::uint64_t drawn = Mix(failed.id * 64 + static_cast<std::uint64_t>(failed.failures));
  return most / 2 + Duration(static_cast<Duration::rep>(
                        drawn % static_cast<std::uint64_t>(most.count() / 2 + 1)));
}

void TripCommands::DropAll(const TripId& trip) {
  const auto line = lines_.find(trip);
  if (line == lines_.end()) return;
  sent_.erase(line->second.front().id);
  lines_.erase(line);
  timers_.Cancel(RetryTimer(trip));
}

}  // namespace ridestream::dispatch
