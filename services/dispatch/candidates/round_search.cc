#include "services/dispatch/candidates/round_search.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "services/dispatch/matching/costs.h"

namespace ridestream::dispatch {

RoundSearch::RoundSearch(const roads::Router& router, const Config& config)
    : router_(router), config_(config), places_(router) {}

void RoundSearch::Begin(FindCandidates question, std::vector<std::vector<NearbyDriver>> nearby) {
  question_ = std::move(question);
  nearby_ = std::move(nearby);
  nearby_.resize(question_.queries.size());
  found_ = {question_.round, std::vector<CandidatesFound::ForTrip>()};
  stage_ = Stage::kTravelTimes;
  next_ = 0;

  stranded_.clear();
  times_ms_.clear();
  named_to_.clear();
  driver_of_.assign(nearby_.size(), {});
  std::vector<LatLng> pickups;
  std::vector<LatLng> positions;
  absl::flat_hash_map<DriverId, std::size_t> index_of;
  for (std::size_t query = 0; query < question_.queries.size(); ++query) {
    pickups.push_back(question_.queries[query].pickup);
    times_ms_.emplace_back(nearby_[query].size(), roads::kUnreachableMs);
    for (std::size_t i = 0; i < nearby_[query].size(); ++i) {
      const NearbyDriver& driver = nearby_[query][i];
      const auto [index, is_new] = index_of.try_emplace(driver.id, positions.size());
      if (is_new) {
        positions.push_back(driver.position);
        named_to_.emplace_back();
      }
      named_to_[index->second].emplace_back(query, i);
      driver_of_[query].push_back(index->second);
    }
  }
  pickups_ = router_.snapper().NearestOfEach(pickups, roads::StreetUse::kStop);
  drivers_ = router_.snapper().NearestOfEach(positions);
  // A row costs about the same in either direction.
  by_driver_ = drivers_.size() < question_.queries.size();
  PlaceCars();
}

bool RoundSearch::Step() {
  while (stage_ != Stage::kDone) {
    const std::size_t item = next_++;
    switch (stage_) {
      case Stage::kTravelTimes:
        if (item < (by_driver_ ? drivers_.size() : question_.queries.size())) {
          by_driver_ ? FindTimesOfDriver(item) : FindTimesOfQuery(item);
          return true;
        }
        stage_ = Stage::kInsertions;
        break;
      case Stage::kInsertions:
        if (item < question_.queries.size()) {
          FindInsertionsFor(item);
          return true;
        }
        stage_ = Stage::kMoves;
        break;
      case Stage::kMoves:
        if (item < question_.moves.size()) {
          FindMove(item);
          return true;
        }
        stage_ = Stage::kRooms;
        break;
      case Stage::kRooms:
        if (item < std::min(stranded_.size(), config_.stranded)) {
          const FindCandidates::Query& query = question_.queries[stranded_[item]];
          FindRoom(query.trip, *query.shared, {}, query.price);
          return true;
        }
        stage_ = Stage::kDone;
        break;
      case Stage::kDone:
        break;
    }
    next_ = 0;
  }
  return false;
}

CandidatesFound RoundSearch::Take() { return std::move(found_); }

void RoundSearch::FindTimesOfQuery(std::size_t query) {
  if (!pickups_[query]) return;
  std::vector<roads::SnappedPoint> from;
  std::vector<std::size_t> index;
  for (std::size_t i = 0; i < nearby_[query].size(); ++i) {
    const auto& place = drivers_[driver_of_[query][i]];
    if (!place) continue;
    from.push_back(*place);
    index.push_back(i);
  }
  if (from.empty()) return;
  const std::vector<std::uint32_t> row = router_.MsTo(*pickups_[query], from);
  for (std::size_t i = 0; i < row.size(); ++i) times_ms_[query][index[i]] = row[i];
}

void RoundSearch::FindTimesOfDriver(std::size_t driver) {
  if (!drivers_[driver]) return;
  std::vector<roads::SnappedPoint> to;
  std::vector<std::pair<std::size_t, std::size_t>> index;
  for (const auto& named : named_to_[driver]) {
    if (!pickups_[named.first]) continue;
    to.push_back(*pickups_[named.first]);
    index.push_back(named);
  }
  if (to.empty()) return;
  const std::vector<std::uint32_t> row = router_.MsFrom(*drivers_[driver], to);
  for (std::size_t i = 0; i < row.size(); ++i) times_ms_[index[i].first][index[i].second] = row[i];
}

/// Makes the query's answer from the travel times, which are known by now.
void RoundSearch::FindInsertionsFor(std::size_t query) {
  const FindCandidates::Query& asked = question_.queries[query];
  CandidatesFound::ForTrip& answer = found_.trips->emplace_back();
  answer.trip = asked.trip;
  // An unreachable pick-up has no candidates, so its trip will be given up.
  for (std::size_t i = 0; i < nearby_[query].size(); ++i) {
    const std::chrono::milliseconds time(times_ms_[query][i]);
    if (times_ms_[query][i] == roads::kUnreachableMs || time > config_.max_pickup_time) continue;
    answer.candidates.push_back({nearby_[query][i].id, nearby_[query][i].position, time});
  }
  if (!asked.shared) return;
  answer.insertions = FindInsertionsOf(*asked.shared, {});
  const bool in_time = std::any_of(
      answer.candidates.begin(), answer.candidates.end(), [&](const Candidate& candidate) {
        return question_.asked_at + candidate.travel_time <= asked.shared->latest_pickup;
      });
  const bool room_helps = asked.price > Duration::zero();
  if (room_helps && !in_time && answer.insertions.empty()) stranded_.push_back(query);
}

void RoundSearch::PlaceCars() {
  cars_.clear();
  if (question_.cars.empty()) return;
  places_.BeginRound();
  for (const SharedCar& shared : question_.cars) {
    RunningCar& car = cars_.emplace_back(shared.car);
    car.place = places_.Add(shared.position, roads::StreetUse::kDrive);
    for (std::size_t i = 0; i < car.stops.size(); ++i) {
      car.stops[i].place = places_.Add(shared.places[i], roads::StreetUse::kStop);
    }
  }
}

InsertedRider RoundSearch::MakeRider(const SharedRide& ride) {
  return {places_.Add(ride.pickup, roads::StreetUse::kStop),
          places_.Add(ride.dropoff, roads::StreetUse::kStop),
          ride.party_size,
          ride.latest_pickup,
          ride.latest_dropoff,
          question_.pickup_dwell,
          question_.dropoff_dwell,
          question_.asked_at,
          question_.driving};
}

std::vector<InsertionFound> RoundSearch::FindInsertionsOf(const SharedRide& ride,
                                                          const DriverId& except) {
  std::vector<InsertionFound> insertions;
  if (cars_.empty()) return insertions;
  const InsertedRider rider = MakeRider(ride);
  for (const CarInsertion& found :
       FindInsertions(cars_, rider, config_.insertions, places_.optimistic(), places_.exact())) {
    const SharedCar& car = question_.cars[found.car];
    if (car.driver == except) continue;
    insertions.push_back({car.driver, car.plan_revision, found.insertion});
  }
  return insertions;
}

void RoundSearch::FindMove(std::size_t move) {
  const FindCandidates::Move& asked = question_.moves[move];
  const auto from = std::find_if(question_.cars.begin(), question_.cars.end(),
                                 [&](const SharedCar& car) { return car.driver == asked.from; });
  if (from == question_.cars.end()) return;
  const Duration spared = SparedWithout(*from, asked.trip);
  found_.moves.push_back({asked.trip, spared, FindInsertionsOf(asked.ride, asked.from)});
  if (move % config_.room_for_every == question_.round % config_.room_for_every) {
    FindRoom(asked.trip, asked.ride, asked.from, spared);
  }
}

std::vector<RoundSearch::Passenger> RoundSearch::Movable(std::size_t index) const {
  const SharedCar& shared = question_.cars[index];
  const std::vector<CarStop>& stops = shared.car.stops;
  std::vector<Passenger> movable;
  for (std::size_t in = shared.car.fixed_stops; in < stops.size(); ++in) {
    if (stops[in].riders <= 0) continue;
    for (std::size_t out = in + 1; out < stops.size(); ++out) {
      if (shared.trips[out] != shared.trips[in]) continue;
      movable.push_back(
          {index,
           shared.trips[in],
           {shared.places[in], shared.places[out], static_cast<std::uint32_t>(stops[in].riders),
            stops[in].latest, stops[out].latest},
           {in, out}});
    }
  }
  return movable;
}

void RoundSearch::FindRoom(const TripId& trip, const SharedRide& ride, const DriverId& present,
                           Duration price) {
  const InsertedRider rider = MakeRider(ride);
  struct Ejection {
    Duration hope;
    Passenger passenger;
  };
  std::vector<Ejection> ejections;
  for (std::size_t car = 0; car < cars_.size(); ++car) {
    const Duration to_pickup = places_.optimistic().Between(cars_[car].place, rider.pickup);
    if (question_.cars[car].driver == present ||
        cars_[car].leaves + to_pickup > rider.latest_pickup) {
      continue;
    }
    for (Passenger& passenger : Movable(car)) {
      const RunningCar rest = Without(cars_[car], passenger.stops, places_.optimistic());
      const auto hope = FindInsertion(rest, rider, places_.optimistic());
      if (hope && hope->cost < price) ejections.push_back({hope->cost, std::move(passenger)});
    }
  }
  std::stable_sort(ejections.begin(), ejections.end(),
                   [](const Ejection& a, const Ejection& b) { return a.hope < b.hope; });
  if (ejections.size() > config_.ejections) ejections.resize(config_.ejections);

  std::optional<CandidatesFound::ForMove> best;
  Duration best_gain{};
  for (const auto& [hope, passenger] : ejections) {
    const RunningCar& car = cars_[passenger.car];
    const SharedCar& shared = question_.cars[passenger.car];
    const auto freed =
        FindInsertion(Without(car, passenger.stops, places_.exact()), rider, places_.exact());
    if (!freed || freed->cost >= price) continue;
    auto insertions = FindInsertionsOf(passenger.ride, shared.driver);
    if (insertions.empty()) continue;
    const Duration worth = WorthOfRemoving(car, passenger.stops, question_.asked_at,
                                           question_.driving, places_.exact());
    const Duration spared = SparedByFreedCapacity(worth, price, freed->cost);
    const Duration gain = GainOfMove(spared, insertions.front().insertion.cost);
    if (gain <= best_gain) continue;
    best_gain = gain;
    const InsertionFound into{shared.driver, shared.plan_revision, *freed};
    best = {passenger.trip, spared, std::move(insertions),
            CandidatesFound::FreedCapacity{trip, into}};
  }
  if (best) found_.moves.push_back(*std::move(best));
}

Duration RoundSearch::SparedWithout(const SharedCar& shared, const TripId& trip) {
  std::vector<std::size_t> stops;
  for (std::size_t i = 0; i < shared.trips.size(); ++i) {
    if (shared.trips[i] == trip) stops.push_back(i);
  }
  const auto index = static_cast<std::size_t>(&shared - question_.cars.data());
  return WorthOfRemoving(cars_[index], stops, question_.asked_at, question_.driving,
                         places_.exact());
}

}  // namespace ridestream::dispatch
