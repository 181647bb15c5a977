#include "services/dispatch/domain/plan/answers.h"

#include <string>
#include <utility>

namespace ridestream::dispatch {
namespace {

v1::AnsweredCommand GivenUp(const std::string& trip_id) {
  v1::AnsweredCommand answer;
  answer.set_given_up_trip_id(trip_id);
  return answer;
}

bool HasGivenUp(const trip::v1::Trip& trip, const DriverId& driver) {
  if (trip.state() == trip::v1::TRIP_STATE_CANCELLED) {
    return trip.cancellation().by_driver_id() == driver.str();
  }
  const trip::v1::Release& release = trip.last_release();
  return trip.driver().driver_id() != driver.str() && release.driver_id() == driver.str() &&
         release.reason() == trip::v1::RELEASE_REASON_DRIVER_GAVE_UP;
}

}  // namespace

v1::AnsweredCommand AnswerTo(const v1::StopUpdate& update) {
  v1::AnsweredCommand answer;
  *answer.mutable_stop_update() = update;
  return answer;
}

v1::AnsweredCommand AnswerTo(const v1::GiveUp& give_up) { return GivenUp(give_up.trip_id()); }

Answers CommandsBetween(trip::v1::TripState before, const trip::v1::Trip& now,
                        const DriverId& driver) {
  if (HasGivenUp(now, driver)) return {GivenUp(now.trip_id())};
  if (now.driver().driver_id() != driver.str()) return {};
  constexpr std::pair<trip::v1::TripState, v1::StopAction> kSteps[] = {
      {trip::v1::TRIP_STATE_ARRIVED, v1::STOP_ACTION_ARRIVED},
      {trip::v1::TRIP_STATE_ABOARD, v1::STOP_ACTION_PICKED_UP},
      {trip::v1::TRIP_STATE_COMPLETED, v1::STOP_ACTION_DROPPED_OFF}};
  Answers answers;
  for (const auto& [state, action] : kSteps) {
    if (state <= before || now.state() < state || now.state() > trip::v1::TRIP_STATE_COMPLETED) {
      continue;
    }
    v1::StopUpdate update;
    update.set_trip_id(now.trip_id());
    update.set_action(action);
    answers.push_back(AnswerTo(update));
  }
  return answers;
}

}  // namespace ridestream::dispatch
