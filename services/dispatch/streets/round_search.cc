#include "services/dispatch/streets/round_search.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"

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
  pickups_ = router_.snapper().NearestOfEach(pickups);
  drivers_ = router_.snapper().NearestOfEach(positions);
  // Each row costs about the same whichever end it begins at.
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

/// The travel times are known by now: this makes the query's answer.
void RoundSearch::FindInsertionsFor(std::size_t query) {
  const FindCandidates::Query& asked = question_.queries[query];
  CandidatesFound::ForTrip& answer = found_.trips->emplace_back();
  answer.trip = asked.trip;
  // An unreachable pick-up has no candidates: the trip is given up in the end.
  for (std::size_t i = 0; i < nearby_[query].size(); ++i) {
    const std::chrono::milliseconds time(times_ms_[query][i]);
    if (times_ms_[query][i] == roads::kUnreachableMs || time > config_.max_pickup_time) continue;
    answer.candidates.push_back({nearby_[query][i].id, nearby_[query][i].position, time});
  }
  if (asked.shared) answer.insertions = FindInsertionsOf(*asked.shared, {});
}

void RoundSearch::PlaceCars() {
  cars_.clear();
  if (question_.cars.empty()) return;
  places_.BeginRound();
  for (const SharedCar& shared : question_.cars) {
    RunningCar& car = cars_.emplace_back(shared.car);
    car.place = places_.Add(shared.position);
    for (std::size_t i = 0; i < car.stops.size(); ++i) {
      car.stops[i].place = places_.Add(shared.places[i]);
    }
  }
}

InsertedRider RoundSearch::MakeRider(const SharedRide& ride) {
  return {places_.Add(ride.pickup), places_.Add(ride.dropoff), ride.party_size,
          ride.latest_pickup,       ride.latest_dropoff,       question_.pickup_dwell,
          question_.dropoff_dwell};
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
    insertions.push_back(
        {car.driver, car.plan_revision, found.insertion,
         DelayOfOthers(cars_[found.car], rider, found.insertion, places_.exact())});
  }
  return insertions;
}

void RoundSearch::FindMove(std::size_t move) {
  const FindCandidates::Move& asked = question_.moves[move];
  const auto from = std::find_if(question_.cars.begin(), question_.cars.end(),
                                 [&](const SharedCar& car) { return car.driver == asked.from; });
  if (from == question_.cars.end()) return;
  found_.moves.push_back(
      {asked.trip, SparedWithout(*from, asked.trip), FindInsertionsOf(asked.ride, asked.from)});
}

Duration RoundSearch::SparedWithout(const SharedCar& shared, const TripId& trip) {
  const RunningCar& car = cars_[static_cast<std::size_t>(&shared - question_.cars.data())];
  const Duration with = car.stops.back().arrival + car.stops.back().dwell - car.leaves;
  Duration without{};
  PlaceIndex place = car.place;
  for (std::size_t i = 0; i < car.stops.size(); ++i) {
    if (shared.trips[i] == trip) continue;
    without += places_.exact().Between(place, car.stops[i].place) + car.stops[i].dwell;
    place = car.stops[i].place;
  }
  return with - without;
}

}  // namespace ridestream::dispatch
