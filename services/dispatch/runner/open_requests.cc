#include "services/dispatch/runner/open_requests.h"

#include <utility>

#include "libs/service/service.h"
#include "services/dispatch/domain/trips/trip_commands.h"

namespace ridestream::dispatch {

void OpenRequests::Note(const trip::v1::Trip& trip) {
  MutexLock lock(mu_);
  switch (trip.state()) {
    case trip::v1::TRIP_STATE_COMPLETED:
    case trip::v1::TRIP_STATE_CANCELLED:
    case trip::v1::TRIP_STATE_UNSERVED:
      requests_.erase(trip.trip_id());
      return;
    default:
      requests_.try_emplace(trip.trip_id(), Request{trip.x_request_id()});
  }
}

std::string OpenRequests::RequestOf(const std::string& trip_id) const {
  MutexLock lock(mu_);
  const auto found = requests_.find(trip_id);
  return found == requests_.end() ? "" : found->second.id;
}

std::vector<std::string> OpenRequests::NewRequestsOf(const FindCandidates& round,
                                                     std::size_t most) {
  std::vector<std::string> ids;
  MutexLock lock(mu_);
  for (const FindCandidates::Query& query : round.queries) {
    if (ids.size() == most) break;
    const auto found = requests_.find(query.trip.str());
    if (found == requests_.end() || found->second.id.empty()) continue;
    if (!std::exchange(found->second.was_in_a_round, true)) ids.push_back(found->second.id);
  }
  return ids;
}

void OpenRequests::LogCommand(const char* name, const std::string& trip_id,
                              const absl::Status& status) {
  const bool repeated = IsOutcomeOpen(status);
  std::string request;
  int failures = 0;
  {
    MutexLock lock(mu_);
    const auto found = requests_.find(trip_id);
    if (found != requests_.end()) {
      request = found->second.id;
      failures = repeated ? found->second.failures++ : std::exchange(found->second.failures, 0);
    }
  }
  if (!repeated && failures > 0) {
    service::Log(service::Level::kInfo, "trip_command_through",
                 {{"command", name},
                  {"trip", trip_id},
                  {"request", request},
                  {"failures", std::to_string(failures)}});
  }
  if (status.ok() || (repeated && failures > 0)) return;
  // A race that the market expects: somebody else was faster.
  service::Log(
      absl::IsFailedPrecondition(status) ? service::Level::kInfo : service::Level::kWarning,
      "trip_command_failed",
      {{"command", name}, {"trip", trip_id}, {"request", request}, {"error", status.ToString()}});
}

}  // namespace ridestream::dispatch
