#include "tests/bench/matching/virtual_driver.h"

#include <algorithm>
#include <utility>

namespace ridestream::bench {
namespace {

namespace pb = ::ridestream::dispatch::v1;

/// A car hardly turns between two readings of the mileage.
constexpr Duration kMileageStep = std::chrono::seconds(1);

int CountAboard(const pb::Plan& plan) {
  int drop_offs = 0, pick_ups = 0;
  for (const pb::Stop& stop : plan.stops()) {
    ++(stop.kind() == pb::STOP_KIND_DROP_OFF ? drop_offs : pick_ups);
  }
  return drop_offs - pick_ups;
}

}  // namespace

VirtualDriver::VirtualDriver(DriverId id, const loadtest::FleetPlace& start,
                             const loadtest::OfferResponder::Habits& offers,
                             const loadtest::Itinerary::Options& stops, loadtest::Random random,
                             Time now)
    : id_(std::move(id)),
      seats_(start.seats),
      random_(random),
      car_(start.place, now),
      offers_(offers),
      itinerary_(stops),
      driven_to_(now) {
  history_.id = id_;
  history_.seats = seats_;
}

void VirtualDriver::OnMessage(const pb::DriveResponse& message, Time now) {
  DriveTo(now);
  switch (message.message_case()) {
    case pb::DriveResponse::kOffer:
      offers_.OnOffer(message.offer(), true, now, random_, history_);
      break;
    case pb::DriveResponse::kOfferEnded:
      offers_.OnEnded(message.offer_ended(), history_);
      break;
    case pb::DriveResponse::kPlan:
      itinerary_.OnPlan(message.plan(), loadtest::Itinerary::Source::kPush, now, car_, history_);
      trips_aboard_ = CountAboard(message.plan());
      break;
    case pb::DriveResponse::kRejected:
      if (message.rejected().has_stop_update()) {
        itinerary_.OnRejected(message.rejected().stop_update(), now);
      }
      break;
    default:
      break;
  }
}

VirtualDriver::Messages VirtualDriver::OnTime(Time now) {
  DriveTo(now);
  Messages messages;
  messages.answers = offers_.OnTime(now, history_);
  if (auto step = itinerary_.OnTime(now, car_, random_)) messages.steps.push_back(*std::move(step));
  return messages;
}

void VirtualDriver::DriveTo(Time now) {
  while (driven_to_ < now) {
    const LatLng before = car_.place();
    if (car_.halted()) {
      car_.MoveTo(now);
      driven_to_ = now;
      return;
    }
    driven_to_ = std::min(now, driven_to_ + kMileageStep);
    car_.MoveTo(driven_to_);
    const double metres = FastDistanceM(before, car_.place());
    (trips_aboard_ > 0 ? mileage_.occupied_m : mileage_.empty_m) += metres;
    mileage_.trip_m += metres * trips_aboard_;
  }
}

Time VirtualDriver::wake_at() const {
  Time wake = std::min(offers_.wake_at(), itinerary_.wake_at());
  if (!itinerary_.idle() && !itinerary_.waiting() && itinerary_.wake_at() == Time::max()) {
    wake = std::min(wake, car_.halts_at());
  }
  return wake;
}

}  // namespace ridestream::bench
