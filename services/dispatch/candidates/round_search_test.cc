#include "services/dispatch/candidates/round_search.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "libs/roads/streets.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::IsEmpty;
using testing::IsOk;

constexpr Time kNow = ScaledClock::kAnchor;

/// Asks the router for each pair.
class Direct final : public TravelTimes {
 public:
  explicit Direct(const roads::Router& router) : router_(router) {}
  PlaceIndex Add(LatLng place) {
    places_.push_back(place);
    return static_cast<PlaceIndex>(places_.size() - 1);
  }
  RunningCar Place(const SharedCar& shared) {
    RunningCar car = shared.car;
    car.place = Add(shared.position);
    for (std::size_t i = 0; i < car.stops.size(); ++i) car.stops[i].place = Add(shared.places[i]);
    return car;
  }
  Duration Between(PlaceIndex from, PlaceIndex to) override {
    return *router_.TravelTime(places_[from], places_[to]);
  }

 private:
  const roads::Router& router_;
  std::vector<LatLng> places_;
};

class RoundSearchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto streets = roads::Streets::Load("city:1");
    ASSERT_THAT(streets, IsOk());
    streets_ = *std::move(streets);
  }
  LatLng Somewhere() { return roads::RandomPointOnStreet(streets_->graph(), random_); }
  const roads::Router& router() const { return streets_->router(); }

  static CandidatesFound Search(RoundSearch& search, const FindCandidates& question,
                                const std::vector<std::vector<NearbyDriver>>& nearby) {
    search.Begin(question, nearby);
    while (search.Step()) {
    }
    return search.Take();
  }

  /// A car that drives its stops in order: picks up "t-I" and "t-J", then drops them off.
  SharedCar MakeCar(const std::string& driver) {
    SharedCar shared{DriverId(driver), 3, Somewhere(), {}, {}, {}};
    shared.car.leaves = kNow;
    shared.car.seats = 4;
    LatLng from = shared.position;
    Time at = kNow;
    for (const int riders : {1, 1, -1, -1}) {
      const LatLng to = Somewhere();
      at += *router().TravelTime(from, to);
      shared.car.stops.push_back(
          {.riders = riders, .arrival = at, .latest = at + minutes(5), .dwell = seconds(20)});
      at += seconds(20);
      shared.places.push_back(to);
      shared.trips.emplace_back(fmt::format("{}-{}", driver, shared.trips.size() % 2));
      from = to;
    }
    return shared;
  }

  std::unique_ptr<roads::Streets> streets_;
  std::mt19937_64 random_{1};
};

TEST_F(RoundSearchTest, TravelTimesEqualTheRoutersInEitherDirectionOfSearch) {
  for (const auto& [riders, drivers] : {std::pair(3, 40), std::pair(40, 3)}) {
    FindCandidates question{.round = 9, .queries = {}};
    std::vector<NearbyDriver> fleet;
    for (int i = 0; i < drivers; ++i) fleet.push_back({DriverId(std::to_string(i)), Somewhere()});
    for (int i = 0; i < riders; ++i) {
      question.queries.push_back({TripId(std::to_string(i)), Somewhere()});
    }
    RoundSearch search(router(), {.max_pickup_time = minutes(4)});
    const auto found =
        Search(search, question, std::vector(static_cast<std::size_t>(riders), fleet));
    EXPECT_EQ(found.round, 9u);
    ASSERT_THAT(found.trips, IsOk());
    ASSERT_EQ(found.trips->size(), question.queries.size());
    std::size_t near = 0, far = 0;
    for (std::size_t i = 0; i < question.queries.size(); ++i) {
      std::size_t next = 0;
      for (const NearbyDriver& driver : fleet) {
        const Duration time = *router().TravelTime(driver.position, question.queries[i].pickup);
        if (time > minutes(4)) {
          ++far;
          continue;
        }
        ++near;
        ASSERT_LT(next, (*found.trips)[i].candidates.size());
        const Candidate& candidate = (*found.trips)[i].candidates[next++];
        EXPECT_EQ(candidate.driver, driver.id);
        EXPECT_EQ(candidate.travel_time, time);
      }
      EXPECT_EQ(next, (*found.trips)[i].candidates.size());
    }
    EXPECT_GT(near, 0u);
    EXPECT_GT(far, 0u);
  }
}

TEST_F(RoundSearchTest, AnUnreachablePickUpHasNoCandidates) {
  const LatLng on_closed_street = Somewhere();
  const roads::SnappedPoint closed = *streets_->snapper().Nearest(on_closed_street);
  std::vector<std::uint32_t> durations;
  for (roads::EdgeIndex i = 0; i < streets_->graph().edge_count(); ++i) {
    durations.push_back(streets_->graph().edge(i).duration_ms);
  }
  durations[closed.edge] = roads::kClosedMs;
  if (const auto back = streets_->graph().Opposite(closed.edge)) {
    durations[*back] = roads::kClosedMs;
  }
  ASSERT_THAT(streets_->engine().SetDurations(durations), IsOk());
  RoundSearch search(router(), {});
  for (const LatLng pickup : {LatLng{0, 0}, on_closed_street}) {
    for (const bool many_drivers : {false, true}) {
      // The other trip can be driven to; with it the rows begin at either end.
      const SharedRide ride{pickup, Somewhere(), 1, kNow + minutes(60), kNow + minutes(90)};
      FindCandidates question{.round = 1, .queries = {}};
      question.queries.push_back({TripId("nowhere"), pickup, 1, 0, ride});
      question.queries.push_back({TripId("somewhere"), Somewhere()});
      question.cars.push_back(MakeCar("c"));
      std::vector<NearbyDriver> drivers{{DriverId("a"), Somewhere()}};
      for (int i = 0; many_drivers && i < 3; ++i) {
        drivers.push_back({DriverId(std::to_string(i)), Somewhere()});
      }
      const auto found = Search(search, question, {drivers, drivers});
      EXPECT_THAT(found.trips->at(0).candidates, IsEmpty());
      EXPECT_THAT(found.trips->at(0).insertions, IsEmpty());
      EXPECT_EQ(found.trips->at(1).candidates.size(), drivers.size());
    }
  }
}

TEST_F(RoundSearchTest, TheBestInsertionsAreThoseOverAllCarsByExactTimes) {
  std::size_t insertions = 0;
  RoundSearch search(router(), {.insertions = 3});
  for (int round = 0; round < 20; ++round) {
    FindCandidates question{.round = 1, .queries = {}};
    question.pickup_dwell = seconds(30);
    question.dropoff_dwell = seconds(10);
    for (int i = 0; i < 15; ++i) question.cars.push_back(MakeCar(std::to_string(i)));
    const SharedRide ride{Somewhere(), Somewhere(), 1, kNow + minutes(8), kNow + minutes(20)};
    question.queries.push_back({TripId("t"), ride.pickup, 1, 0, ride});
    const auto found = Search(search, question, {});

    // The same by asking the router for each pair.
    Direct direct(router());
    std::multiset<Duration> all;
    for (const SharedCar& shared : question.cars) {
      const RunningCar car = direct.Place(shared);
      const InsertedRider rider{direct.Add(ride.pickup),
                                direct.Add(ride.dropoff),
                                1,
                                ride.latest_pickup,
                                ride.latest_dropoff,
                                seconds(30),
                                seconds(10),
                                question.asked_at};
      if (const auto insertion = FindInsertion(car, rider, direct)) all.insert(insertion->cost);
    }
    const auto& named = found.trips->at(0).insertions;
    ASSERT_EQ(named.size(), std::min<std::size_t>(3, all.size()));
    auto expected = all.begin();
    for (const InsertionFound& insertion : named) {
      EXPECT_EQ(insertion.insertion.cost, *expected++);
      EXPECT_EQ(insertion.plan_revision, 3u);
      ++insertions;
    }
  }
  EXPECT_GT(insertions, 10u);
}

TEST_F(RoundSearchTest, MoveIncludesTheSavingsOfAll) {
  FindCandidates question{.round = 1, .queries = {}};
  question.asked_at = kNow;
  for (const char* driver : {"a", "b"}) question.cars.push_back(MakeCar(driver));
  const SharedCar& a = question.cars[0];
  question.moves.push_back({TripId("a-0"),
                            DriverId("a"),
                            {a.places[0], a.places[2], 1, kNow + minutes(60), kNow + minutes(90)}});
  for (CarStop& stop : question.cars[1].car.stops) stop.latest = kNow + minutes(120);
  RoundSearch search(router(), {});
  const auto found = Search(search, question, {});
  ASSERT_EQ(found.moves.size(), 1u);
  const Duration earlier = a.car.stops[3].arrival - kNow -
                           *router().TravelTime(a.position, a.places[1]) - seconds(20) -
                           *router().TravelTime(a.places[1], a.places[3]);
  EXPECT_EQ(found.moves[0].spared, earlier + earlier + (a.car.stops[2].arrival - kNow))
      << "the car drives less, the other rider is there earlier, and this one not at all";
  ASSERT_EQ(found.moves[0].insertions.size(), 1u) << "not into the plan that it is in";
  EXPECT_EQ(found.moves[0].insertions[0].driver, DriverId("b"));
}

TEST_F(RoundSearchTest, StrandedRiderGetsTheCapacityThatAMoveFrees) {
  std::size_t freed_count = 0;
  RoundSearch search(router(), {});
  for (int round = 0; round < 100; ++round) {
    FindCandidates question{.round = 1, .queries = {}};
    question.asked_at = kNow;
    for (int i = 0; i < 10; ++i) {
      question.cars.push_back(MakeCar(std::to_string(i)));
      question.cars.back().car.seats = 2;
    }
    const SharedRide ride{Somewhere(), Somewhere(), 1, kNow + minutes(6), kNow + minutes(15)};
    question.queries.push_back({TripId("t"), ride.pickup, 1, 0, ride, minutes(60)});
    const auto found = Search(search, question, {});
    question.queries[0].price = Duration::zero();
    EXPECT_THAT(Search(search, question, {}).moves, IsEmpty()) << "nobody shall move";
    if (!found.trips->at(0).insertions.empty()) {
      EXPECT_THAT(found.moves, IsEmpty()) << "there is no need";
      continue;
    }
    for (const CandidatesFound::ForMove& move : found.moves) {
      ++freed_count;
      ASSERT_TRUE(move.freed);
      EXPECT_EQ(move.freed->trip, TripId("t"));
      const auto shared =
          std::find_if(question.cars.begin(), question.cars.end(),
                       [&](const SharedCar& car) { return car.driver == move.freed->into.driver; });
      Direct direct(router());
      const RunningCar car = direct.Place(*shared);
      std::vector<std::size_t> stops;
      for (std::size_t i = 0; i < shared->trips.size(); ++i) {
        if (shared->trips[i] == move.trip) stops.push_back(i);
      }
      ASSERT_EQ(stops.size(), 2u) << "who moves is in that car, and not aboard";
      const InsertedRider rider{direct.Add(ride.pickup),
                                direct.Add(ride.dropoff),
                                1,
                                ride.latest_pickup,
                                ride.latest_dropoff,
                                {},
                                {},
                                kNow};
      EXPECT_EQ(FindInsertion(Without(car, stops, direct), rider, direct),
                move.freed->into.insertion);
      EXPECT_EQ(move.spared, minutes(60) - move.freed->into.insertion.cost +
                                 WorthOfRemoving(car, stops, kNow, 1, direct));
      for (const InsertionFound& to : move.insertions) EXPECT_NE(to.driver, shared->driver);
      EXPECT_LT(move.insertions.at(0).insertion.cost, move.spared);
    }
  }
  EXPECT_GT(freed_count, 5u);
}

}  // namespace
}  // namespace ridestream::dispatch
