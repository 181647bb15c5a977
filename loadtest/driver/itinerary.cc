#include "loadtest/driver/itinerary.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libs/proto_values/proto_values.h"

namespace ridestream::loadtest {
namespace {

namespace pb = ::ridestream::dispatch::v1;

// How far along a new route the car may be when the route arrives.
constexpr std::int64_t kJoinWithinMs = 20'000;

}  // namespace

void Itinerary::OnPlan(const pb::Plan& plan, Source source, Time now, Car& car,
                       DriverHistory& history) {
  ++history.plans;
  const bool repeated = source == Source::kSnapshot && plan.version() == version_;
  if (plan.version() <= version_ && !repeated) {
    history.Violated(Check::kPlanVersionGrows,
                     fmt::format("plan version {} came after {}", plan.version(), version_));
    return;
  }
  version_ = plan.version();
  car.MoveTo(now);
  new_stop_ms_.clear();
  ApplyRoute(plan, now, car, history);
  ApplyStops(plan, car);
  CountSeats(plan, history);
  car.HaltAt(stops_.empty() ? 0 : stops_.front().at_ms);
  if (step_ && IsDone(*step_)) step_.reset();
}

void Itinerary::ApplyRoute(const pb::Plan& plan, Time now, Car& car, DriverHistory& history) {
  if (!plan.has_route()) {
    // A route id of 0 means that no route is known yet: the driver continues until one arrives.
    if (!plan.stops().empty() && plan.route_id() != 0 && plan.route_id() != route_id_) {
      history.Violated(Check::kRouteKnown,
                       fmt::format("plan version {} names route {}, which the driver doesn't have",
                                   version_, plan.route_id()));
    }
    return;
  }
  auto route = Course::FromProto(plan.route());
  if (!route.ok()) {
    history.Violated(Check::kRouteKnown,
                     fmt::format("plan version {}: {}", version_, route.status().ToString()));
    return;
  }
  route_id_ = plan.route_id();
  std::int64_t reached_ms = 0;
  for (int i = 0; i < plan.stops_size(); ++i) {
    const std::int64_t eta_ms = std::int64_t{plan.stops(i).eta_s()} * 1'000;
    reached_ms = i + 1 == plan.stops_size()
                     ? route->duration_ms()
                     : route->Nearest(FromProto(plan.stops(i).place()), reached_ms,
                                      route->duration_ms(), eta_ms);
    new_stop_ms_.push_back(reached_ms);
  }
  const std::int64_t first_ms = new_stop_ms_.empty() ? 0 : new_stop_ms_.front();
  const std::int64_t join_ms = route->Nearest(car.place(), 0, std::min(kJoinWithinMs, first_ms), 0);
  std::int64_t access_ms = 0;
  car.Drive(route->JoinedFrom(car.place(), join_ms, access_ms), now);
  for (std::int64_t& ms : new_stop_ms_) ms = ms - join_ms + access_ms;
}

void Itinerary::ApplyStops(const pb::Plan& plan, const Car& car) {
  std::vector<Stop> stops;
  for (int i = 0; i < plan.stops_size(); ++i) {
    const pb::Stop& stop = plan.stops(i);
    Stop next{stop.kind(), TripId(stop.trip_id()), FromProto(stop.place()), 0, stop.arrived()};
    const auto same = std::find_if(stops_.begin(), stops_.end(), [&](const Stop& old) {
      return old.kind == next.kind && old.trip_id == next.trip_id;
    });
    // A step that was started at another place restarts at this one.
    if (i == 0 && same != stops_.end() && same->place != next.place && !step_sent_) step_.reset();
    if (!new_stop_ms_.empty()) {
      next.at_ms = new_stop_ms_[static_cast<size_t>(i)];
    } else if (same != stops_.end()) {
      next.at_ms = same->at_ms;
    } else if (car.course().empty()) {
      next.at_ms = 0;
    } else {
      const std::int64_t from = stops.empty() ? car.course_ms() : stops.back().at_ms;
      next.at_ms = car.course().Nearest(next.place, from, car.course().duration_ms(),
                                        car.course_ms() + std::int64_t{stop.eta_s()} * 1'000);
    }
    stops.push_back(std::move(next));
  }
  stops_ = std::move(stops);
}

// A rider is aboard if the plan has the drop-off but no pick-up.
void Itinerary::CountSeats(const pb::Plan& plan, DriverHistory& history) const {
  std::uint32_t taken = 0;
  for (const pb::Stop& stop : plan.stops()) {
    const bool waits =
        std::any_of(plan.stops().begin(), plan.stops().end(), [&](const pb::Stop& other) {
          return other.kind() == pb::STOP_KIND_PICK_UP && other.trip_id() == stop.trip_id();
        });
    if (stop.kind() == pb::STOP_KIND_DROP_OFF && !waits) taken += stop.passenger().party_size();
  }
  history.most_seats_taken = std::max(history.most_seats_taken, taken);
}

void Itinerary::Clear() {
  stops_.clear();
  step_.reset();
  route_id_ = 0;
}

std::optional<pb::StopUpdate> Itinerary::OnTime(Time now, const Car& car, Random& random) {
  if (!step_) {
    if (stops_.empty() || !car.halted() || car.course_ms() < stops_.front().at_ms) {
      return std::nullopt;
    }
    const Stop& stop = stops_.front();
    step_.emplace().set_trip_id(stop.trip_id.str());
    step_sent_ = false;
    const Duration boarding = random.Between(options_.boarding_min, options_.boarding_max);
    if (stop.kind == pb::STOP_KIND_DROP_OFF) {
      step_->set_action(pb::STOP_ACTION_DROPPED_OFF);
      step_at_ = now + boarding / 3;
    } else if (stop.arrived) {
      step_->set_action(pb::STOP_ACTION_PICKED_UP);
      step_at_ = now + boarding;
    } else {
      step_->set_action(pb::STOP_ACTION_ARRIVED);
      step_at_ = now;
    }
  }
  if (step_sent_ || now < step_at_) return std::nullopt;
  step_sent_ = true;
  return step_;
}

Time Itinerary::wake_at() const { return step_ && !step_sent_ ? step_at_ : Time::max(); }

void Itinerary::OnRejected(const pb::StopUpdate& step, Time now) {
  if (!step_ || step_->trip_id() != step.trip_id() || step_->action() != step.action()) return;
  step_sent_ = false;
  step_at_ = now + options_.retry;
}

void Itinerary::OnResumed() { step_sent_ = false; }

bool Itinerary::IsDone(const pb::StopUpdate& step) const {
  const auto stands = [&](pb::StopKind kind, bool arrived_too) {
    return std::any_of(stops_.begin(), stops_.end(), [&](const Stop& stop) {
      return stop.kind == kind && stop.trip_id.str() == step.trip_id() &&
             (arrived_too || !stop.arrived);
    });
  };
  switch (step.action()) {
    case pb::STOP_ACTION_ARRIVED:
      return !stands(pb::STOP_KIND_PICK_UP, false);
    case pb::STOP_ACTION_PICKED_UP:
      return !stands(pb::STOP_KIND_PICK_UP, true);
    default:
      return !stands(pb::STOP_KIND_DROP_OFF, true);
  }
}

bool Itinerary::BeforePickUp(const TripId& trip_id) const {
  return !step_ && std::any_of(stops_.begin(), stops_.end(), [&](const Stop& stop) {
    return stop.kind == pb::STOP_KIND_PICK_UP && stop.trip_id == trip_id && !stop.arrived;
  });
}

bool Itinerary::Has(const TripId& trip_id) const {
  return std::any_of(stops_.begin(), stops_.end(),
                     [&](const Stop& stop) { return stop.trip_id == trip_id; });
}

}  // namespace ridestream::loadtest
