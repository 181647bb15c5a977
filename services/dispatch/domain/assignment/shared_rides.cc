#include "services/dispatch/domain/assignment/shared_rides.h"

#include <algorithm>
#include <map>
#include <utility>

#include "libs/base/invariant.h"
#include "services/dispatch/matching/round.h"

namespace ridestream::dispatch {

SharedRides::SharedRides(const Config& config, const TripBook& trips, const TripCommands& commands,
                         const Fleet& fleet, const Searches& searches, const Offers& offers,
                         const Assignments& assignments)
    : config_(config),
      costs_(config.costs, config.dwell),
      trips_(trips),
      commands_(commands),
      fleet_(fleet),
      searches_(searches),
      offers_(offers),
      assignments_(assignments) {}

void SharedRides::AddPlanQueries(FindCandidates& round, Time now) {
  if (!enabled()) return;
  round.asked_at = now;
  round.driving = costs_.driving();
  round.pickup_dwell = config_.sharing.dwell.pickup;
  round.dropoff_dwell = config_.sharing.dwell.dropoff;
  if (!SelectInsertions(round) && !moves()) return;
  round.cars = fleet_.SharedCars(now);
  if (moves()) SelectMoves(round);
}

bool SharedRides::SelectInsertions(FindCandidates& round) const {
  std::vector<FindCandidates::Query*> sharing;
  for (FindCandidates::Query& query : round.queries) {
    if (!moves()) query.price = Duration::zero();
    if (query.shared) sharing.push_back(&query);
  }
  // If more riders wait than a round has time for, the next round continues after them.
  const std::size_t first = sharing.empty() ? 0 : round.round * kTripsPerRound % sharing.size();
  for (std::size_t i = 0; i < sharing.size(); ++i) {
    FindCandidates::Query& query = *sharing[(first + i) % sharing.size()];
    query.shared = i < kTripsPerRound ? std::optional(WithMargin(*query.shared)) : std::nullopt;
  }
  return !sharing.empty();
}

void SharedRides::SelectMoves(FindCandidates& round) {
  std::map<TripId, DriverId> movable;
  for (const SharedCar& car : round.cars) {
    const Driver* driver = fleet_.Find(car.driver);
    if (!RIDESTREAM_INVARIANT(driver != nullptr, "the driver of a car is known")) continue;
    for (const TripId& trip : driver->plan.MovableTrips()) movable.emplace(trip, car.driver);
  }
  const std::size_t count = std::min(kMovesPerRound, movable.size());
  auto next = movable.upper_bound(last_moved_);
  for (std::size_t i = 0; i < count; ++i, ++next) {
    if (next == movable.end()) next = movable.begin();
    last_moved_ = next->first;
    const OpenTrip* open = trips_.Find(next->first);
    if (open == nullptr || IsTaken(next->first)) continue;
    const std::optional<SharedRide> ride = SharedRideOf(open->trip);
    if (!RIDESTREAM_INVARIANT(ride.has_value(), "a trip that may be moved is shared")) continue;
    round.moves.push_back({next->first, next->second, WithMargin(*ride)});
  }
}

SharedRide SharedRides::WithMargin(SharedRide ride) const {
  ride.latest_pickup -= config_.sharing.margin;
  ride.latest_dropoff -= config_.sharing.margin + config_.sharing.dwell.dropoff;
  return ride;
}

void SharedRides::Assigned(Time now) {
  if (moves()) search_at_ = std::min(search_at_, now + config_.every);
}

void SharedRides::Searched(Time now) {
  search_at_ = HasMovable() ? now + config_.every : Time::max();
}

bool SharedRides::HasMovable() const {
  if (!moves()) return false;
  return std::any_of(trips_.open().begin(), trips_.open().end(), [](const auto& entry) {
    const trip::v1::Trip& trip = entry.second.trip;
    return trip.state() == trip::v1::TRIP_STATE_ASSIGNED && trip.has_promise();
  });
}

bool SharedRides::IsInsertable(const TripId& trip, const InsertionFound& found,
                               std::uint64_t changes) const {
  const Driver* driver = fleet_.Find(found.driver);
  if (driver == nullptr || driver->plan.revision() != found.plan_revision + changes ||
      driver->inserting || driver->offered || !driver->IsHere() ||
      (changes == 0 && driver->route_request != 0)) {
    return false;
  }
  return searches_.EligibilityOf(trip, found.driver) != Eligibility::kNo;
}

bool SharedRides::IsTaken(const TripId& trip) const {
  return offers_.OfTrip(trip) != nullptr || assignments_.OfTrip(trip) != nullptr;
}

bool SharedRides::IsMovable(const TripId& trip) const {
  const OpenTrip* open = trips_.Find(trip);
  if (open == nullptr || open->trip.state() != trip::v1::TRIP_STATE_ASSIGNED || IsTaken(trip) ||
      commands_.IsPending<trip::v1::AdvanceTripRequest>(trip)) {
    return false;
  }
  const Driver* from = fleet_.Find(DriverId(open->trip.driver().driver_id()));
  return from != nullptr && !from->inserting;
}

DriverId SharedRides::HolderOf(const TripId& trip) const {
  const OpenTrip* open = trips_.Find(trip);
  if (!RIDESTREAM_INVARIANT(open != nullptr, "a trip that is moved is open")) return {};
  return DriverId(open->trip.driver().driver_id());
}

bool SharedRides::CanTake(const CandidatesFound::FreedCapacity& freed,
                          std::uint64_t changes) const {
  return (searches_.IsWaiting(freed.trip) || IsMovable(freed.trip)) &&
         IsInsertable(freed.trip, freed.into, changes);
}

std::vector<SharedRides::Move> SharedRides::Choose(
    const std::vector<CandidatesFound::ForMove>& moves) const {
  struct Option {
    const CandidatesFound::ForMove* move;
    const InsertionFound* to;
  };
  std::vector<Option> options;
  std::vector<MoveOption> weighed;
  for (const CandidatesFound::ForMove& move : moves) {
    if (!IsMovable(move.trip)) continue;
    MoveOption option{.from = HolderOf(move.trip)};
    if (move.freed) {
      if (option.from != move.freed->into.driver || !CanTake(*move.freed, 0)) continue;
      option.room_from = HolderOf(move.freed->trip);
    }
    for (const InsertionFound& to : move.insertions) {
      if (!IsInsertable(move.trip, to) || option.from == to.driver) continue;
      option.to = to.driver;
      option.gain = GainOfMove(move.spared, to.insertion.cost);
      options.push_back({&move, &to});
      weighed.push_back(option);
    }
  }
  std::vector<Move> chosen;
  for (const std::size_t i : ChooseMoves(costs_, weighed)) {
    chosen.push_back(
        {options[i].move->trip, weighed[i].from, *options[i].to, options[i].move->freed});
  }
  return chosen;
}

}  // namespace ridestream::dispatch
