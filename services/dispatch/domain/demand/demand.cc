#include "services/dispatch/domain/demand/demand.h"

#include <chrono>
#include <utility>

#include "libs/proto_values/proto_values.h"

namespace ridestream::dispatch {
namespace {

/// A lasting surge is reported again after this time. The trip service drops it after twice as
/// long.
constexpr Duration kSendSurgeEvery = std::chrono::minutes(1);

}  // namespace

void Demand::Survey(const std::vector<LatLng>& waiting,
                    std::span<const WaitingPlaces::FreeCar> free_cars, Step& step) {
  std::vector<LatLng> places;
  for (const WaitingPlaces::FreeCar& car : free_cars) places.push_back(car.place);
  map_.Survey(waiting, places, step.now());
  ReportSurge(step);
  SuggestWaitingPlaces(free_cars, step);
}

void Demand::ReportSurge(Step& step) {
  const bool changed = map_.surge() != surge_sent_;
  const bool refresh = !surge_sent_.empty() && step.now() - surge_sent_at_ >= kSendSurgeEvery;
  if (!changed && !refresh) return;
  surge_sent_ = map_.surge();
  surge_sent_at_ = step.now();
  step.Decide(SetSurge{surge_sent_});
}

void Demand::SuggestWaitingPlaces(std::span<const WaitingPlaces::FreeCar> free_cars, Step& step) {
  for (const auto& suggestion : waiting_places_.Suggest(free_cars, map_.Shortages(), step.now())) {
    v1::DriveResponse message;
    *message.mutable_waiting_place()->mutable_place() = ToProto(suggestion.place);
    *message.mutable_waiting_place()->mutable_expires_at() = ToProto(suggestion.expires_at);
    step.Decide(Push{suggestion.driver, std::move(message)});
  }
}

}  // namespace ridestream::dispatch
