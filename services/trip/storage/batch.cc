#include "services/trip/storage/batch.h"

#include <fmt/format.h>

#include <utility>

namespace ridestream::trip {

void Complete(Work& work) {
  if (auto* quote = std::get_if<QuoteWork>(&work)) {
    quote->done(absl::OkStatus());
  } else if (auto* lease = std::get_if<LeaseWork>(&work)) {
    lease->done(std::move(lease->answer));
  } else {
    auto& trip = std::get<TripWork>(work);
    trip.done(std::move(trip.outcome.answer));
  }
}

void Fail(Work& work, const absl::Status& status) {
  std::visit([&](auto& one) { one.done(status); }, work);
}

TripStore::Deadline DeadlineOf(const Work& work) {
  return std::visit([](const auto& one) { return one.deadline; }, work);
}

absl::Status NotCommitted(const absl::Status& cause) {
  const std::string text = fmt::format("the trip wasn't written: {}", std::string(cause.message()));
  switch (cause.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return absl::Status(cause.code(), text);
    default:
      return absl::InternalError(text);
  }
}

std::vector<EventPtr> TakeEvents(Batch& batch) {
  std::vector<EventPtr> events;
  for (Work& work : batch) {
    auto* trip = std::get_if<TripWork>(&work);
    if (trip != nullptr && trip->outcome.event != nullptr) {
      events.push_back(std::move(trip->outcome.event));
    }
  }
  return events;
}

}  // namespace ridestream::trip
