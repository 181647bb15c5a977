#include "services/dispatch/domain/plan/driver_plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "libs/proto_values/proto_values.h"
#include "services/dispatch/domain/plan/diversion.h"
#include "services/dispatch/domain/plan/eta.h"

namespace ridestream::dispatch {
namespace {

/// For ETAs without a route: a car's assumed speed in a city in a straight line, 30 km/h.
constexpr double kGuessedMetresPerSecond = 30 / 3.6;

Duration GuessTravelTime(LatLng from, LatLng to) {
  const double seconds = FastDistanceM(from, to) / kGuessedMetresPerSecond;
  return std::chrono::round<Duration>(std::chrono::duration<double>(seconds));
}

/// Maximum number of trips in a plan, which bounds the work on it.
constexpr std::size_t kMaxSharedTrips = 6;
/// A stop as near as this isn't postponed, since the car may already be pulling over.
constexpr Duration kCommitted = std::chrono::seconds(30);

}  // namespace

PlanChange DriverPlan::Apply(const trip::v1::Trip& trip, const Placement* placement) {
  const PlanChange change = stops_.Apply(trip, placement);
  if (change.cause != v1::PLAN_CAUSE_UNSPECIFIED) StopsChanged(change.route);
  return change;
}

bool DriverPlan::KeepToSeats(std::uint32_t seats) {
  const bool changed = stops_.KeepToSeats(seats);
  if (changed) StopsChanged(RouteChange::kNew);
  return changed;
}

PlanChange DriverPlan::Remove(const TripId& trip, v1::PlanCause cause) {
  const std::uint64_t before = revision();
  const PlanChange change = stops_.Remove(trip, cause);
  if (revision() != before) StopsChanged(change.route);
  return change;
}

void DriverPlan::StopsChanged(RouteChange route) {
  drive_timer_.Restart();
  if (route == RouteChange::kNew || stops_.empty()) DropRoute();
  if (stops_.empty()) progress_.reset();  // The car stands still as soon as it hears that.
  if (route_) halts_at_ = stops_.front().on_route;
}

std::optional<double> DriverPlan::DistanceToStop(const TripId& trip, v1::StopKind kind,
                                                 LatLng car) const {
  const auto planned = std::find_if(stops_.begin(), stops_.end(), [&](const PlannedStop& stop) {
    return stop.IsOf(trip) && stop.stop.kind() == kind;
  });
  if (planned == stops_.end()) return std::nullopt;
  const double to_place = DistanceM(car, FromProto(planned->stop.place()));
  if (!route_ || route_->lat_e7().empty()) return std::max(0.0, to_place - kStopWithinM);
  return std::min(to_place, DistanceM(car, progress_->At(planned->on_route).place));
}

std::optional<SharedCar> DriverPlan::AsSharedCar(Duration ahead, std::uint32_t seats,
                                                 const Dwell& dwell, Duration margin,
                                                 Time now) const {
  const std::vector<TripId> trips = Trips();
  if (stops_.empty() || !route_ || trips.size() >= kMaxSharedTrips) return std::nullopt;
  const std::vector<RouteProgress::Point> way = progress_->PointsAhead(AheadOnWay(ahead));
  if (way.empty()) return std::nullopt;
  SharedCar shared{{}, revision(), way.back().place, Places(), {}, {}};
  shared.car.leaves = now + (way.back().from_start - way.front().from_start);
  shared.car.seats = seats;
  for (const TripId& trip : trips) {
    if (!IsAboard(trip)) continue;
    for (const PlannedStop& stop : stops_) {
      if (stop.IsOf(trip)) shared.car.aboard += stop.stop.passenger().party_size();
    }
  }
  const std::vector<Duration> etas = Etas(std::nullopt);
  Duration stood{};
  for (std::size_t i = 0; i < stops_.size(); ++i) {
    const PlannedStop& planned = stops_[i];
    if (planned.latest == Time::max()) return std::nullopt;  // A rider who doesn't share.
    const bool in = planned.stop.kind() == v1::STOP_KIND_PICK_UP;
    const auto riders = static_cast<std::int32_t>(planned.stop.passenger().party_size());
    CarStop stop{.riders = in ? riders : -riders,
                 .arrival = now + etas[i] + stood,
                 .latest = planned.latest - margin,
                 .dwell = in ? dwell.pickup : dwell.dropoff};
    // The promise covers the time until the rider is out of the car.
    if (!in) stop.latest -= dwell.dropoff;
    if (planned.stop.arrived()) stop.latest = Time::max();
    stood += stop.dwell;
    shared.car.stops.push_back(stop);
    shared.trips.emplace_back(planned.stop.trip_id());
  }
  const bool committed = stops_.front().stop.arrived() || etas.front() <= kCommitted;
  shared.car.fixed_stops = committed ? 1 : 0;
  return shared;
}

std::vector<TripId> DriverPlan::LateTrips(std::optional<LatLng> car, Time now) const {
  std::vector<TripId> late;
  const std::vector<Duration> etas = Etas(car);
  for (std::size_t i = 0; i < stops_.size(); ++i) {
    const v1::Stop& stop = stops_[i].stop;
    if (stop.arrived() || now + etas[i] <= stops_[i].latest) continue;
    TripId trip(stop.trip_id());
    if (std::find(late.begin(), late.end(), trip) == late.end()) late.push_back(std::move(trip));
  }
  return late;
}

void DriverPlan::DropRoute() {
  route_.reset();
  drive_timer_.Restart();
  route_id_ = 0;
}

Duration DriverPlan::AheadOnWay(Duration ahead) const {
  return std::clamp(halts_at_ - progress_->behind(), Duration::zero(), ahead);
}

LatLng DriverPlan::BeginRoute(LatLng car, Duration ahead) {
  lead_.clear();
  if (progress_ && !progress_->has_left()) lead_ = progress_->PointsAhead(AheadOnWay(ahead));
  return lead_.empty() ? car : lead_.back().place;
}

bool DriverPlan::SetRoute(RouteFound::Way way) {
  DropRoute();
  if (way.to_stop.size() != stops_.size()) return false;
  Prepend(std::exchange(lead_, {}), way);
  stops_.SetOnRoute(way.to_stop);
  if (!stops_.empty()) halts_at_ = stops_.front().on_route;
  progress_.emplace(way.route);
  route_ = std::move(way.route);
  return true;
}

void DriverPlan::MoveTo(LatLng car) {
  if (!progress_) return;
  progress_->MoveTo(car, halts_at_);
}

std::optional<StreetsDriven> DriverPlan::TimeDrive(Time now) {
  if (!route_) return std::nullopt;
  if (progress_->has_left()) {
    drive_timer_.Restart();
    return std::nullopt;
  }
  const auto stretch = drive_timer_.Moved(progress_->behind(), now);
  if (!stretch) return std::nullopt;
  const double pace = std::chrono::duration<double>(stretch->took) / (stretch->to - stretch->from);
  StreetsDriven driven;
  for (const auto& point : progress_->PointsBetween(stretch->from, stretch->to)) {
    driven.points.push_back({point.place, std::chrono::round<Duration>(point.from_start * pace)});
  }
  return driven;
}

Duration DriverPlan::TimeTo(const TripId& trip, std::optional<LatLng> car) const {
  const auto etas = Etas(car);
  for (std::size_t i = 0; i < stops_.size(); ++i) {
    if (stops_[i].IsOf(trip)) return etas[i];
  }
  return Duration::zero();
}

void DriverPlan::ContinueFrom(std::uint64_t version) { version_ = std::max(version_, version); }

v1::Plan DriverPlan::NextMessage(v1::PlanCause cause, bool whole, std::optional<LatLng> car,
                                 Time now) {
  v1::Plan plan;
  plan.set_version(++version_);
  plan.set_cause(cause);
  const auto etas = Etas(car);
  for (std::size_t i = 0; i < stops_.size(); ++i) {
    v1::Stop& stop = *plan.add_stops();
    stop = stops_[i].stop;
    stop.set_eta_s(EtaSeconds(etas[i]));
  }
  if (route_) {
    if (route_id_ == 0) {
      route_id_ = version_;
      whole = true;
    }
    plan.set_route_id(route_id_);
    if (whole) *plan.mutable_route() = *route_;
  }
  *plan.mutable_decided_at() = ToProto(now);
  return plan;
}

std::vector<Duration> DriverPlan::Etas(std::optional<LatLng> car) const {
  std::vector<Duration> etas;
  Duration so_far{0};
  std::optional<LatLng> from = car;
  for (const PlannedStop& planned : stops_) {
    const LatLng place = FromProto(planned.stop.place());
    if (route_) {
      so_far = std::max(Duration::zero(), planned.on_route - progress_->behind());
    } else if (from) {
      so_far += GuessTravelTime(*from, place);
    }
    from = place;
    etas.push_back(planned.stop.arrived() ? Duration::zero() : so_far);
  }
  return etas;
}

}  // namespace ridestream::dispatch
