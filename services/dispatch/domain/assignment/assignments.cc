#include "services/dispatch/domain/assignment/assignments.h"

#include <utility>

#include "libs/base/invariant.h"

namespace ridestream::dispatch {
namespace {

Timer UnexplainedTimer(const OfferId& id) { return {TimerKind::kAssignmentUnexplained, id.str()}; }

trip::v1::AssignTripRequest MakeRequest(const OpenAssignment& assignment, const Driver& driver) {
  trip::v1::AssignTripRequest request;
  request.set_trip_id(assignment.trip.str());
  request.set_offer_id(assignment.id.str());
  request.mutable_driver()->set_driver_id(assignment.driver.str());
  request.mutable_driver()->set_name(driver.name);
  *request.mutable_driver()->mutable_vehicle() = driver.vehicle;
  request.set_seats(driver.seats);
  request.set_from_driver_id(assignment.from.str());
  return request;
}

}  // namespace

bool Assignments::Begin(OpenAssignment assignment, Step& step) {
  const Driver* driver = fleet_.Find(assignment.driver);
  if (!RIDESTREAM_INVARIANT(driver != nullptr, "a driver who is assigned a trip is known") ||
      !RIDESTREAM_INVARIANT(OfTrip(assignment.trip) == nullptr, "a trip has one assignment")) {
    return false;
  }
  trip::v1::AssignTripRequest request = MakeRequest(assignment, *driver);
  trip_of_[assignment.id] = assignment.trip;
  of_trip_.insert_or_assign(assignment.trip, std::move(assignment));
  commands_.Send(std::move(request), {}, step);
  return true;
}

bool Assignments::BeginInsertion(OpenAssignment assignment, const InsertionFound& at, Step& step) {
  fleet_.BeginInsertion(assignment.trip, at);
  return Begin(std::move(assignment), step);
}

void Assignments::Refuse(const TripId& trip, Time log_is_due) {
  const auto it = of_trip_.find(trip);
  if (!RIDESTREAM_INVARIANT(it != of_trip_.end(), "an assignment that is refused is open")) return;
  it->second.state = OpenAssignment::State::kRefused;
  timers_.Set(UnexplainedTimer(it->second.id), log_is_due);
}

std::optional<OpenAssignment> Assignments::End(const TripId& trip, bool assigned) {
  const auto it = of_trip_.find(trip);
  if (it == of_trip_.end()) return std::nullopt;
  OpenAssignment ended = std::move(it->second);
  of_trip_.erase(it);
  trip_of_.erase(ended.id);
  timers_.Cancel(UnexplainedTimer(ended.id));
  if (ended.kind != AssignmentKind::kOffer) fleet_.EndInsertion(trip, ended.driver, assigned);
  return ended;
}

const OpenAssignment* Assignments::OfTrip(const TripId& trip) const {
  const auto it = of_trip_.find(trip);
  return it == of_trip_.end() ? nullptr : &it->second;
}

const OpenAssignment* Assignments::Find(const OfferId& id) const {
  const auto it = trip_of_.find(id);
  return it == trip_of_.end() ? nullptr : OfTrip(it->second);
}

}  // namespace ridestream::dispatch
