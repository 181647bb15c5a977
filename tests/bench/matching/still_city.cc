#include "tests/bench/matching/still_city.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "services/dispatch/streets/way_search.h"

namespace ridestream::bench {
namespace {

/// So short that the world doesn't change during many rounds.
constexpr Duration kRound = std::chrono::milliseconds(1);

DriverId NameOf(std::size_t car) { return DriverId(fmt::format("d-{:03}", car)); }
std::string TripOf(std::size_t rider) { return fmt::format("t-{:03}", rider); }
/// The number behind such a name's letter.
std::size_t NumberIn(const std::string& name) {
  std::size_t number = 0;
  std::from_chars(name.data() + 2, name.data() + name.size(), number);
  return number;
}

dispatch::MarketConfig Config(const Slice& slice) {
  dispatch::MarketConfig config;
  config.market = MarketId("slice");
  config.offer_id_prefix = "o-";
  config.match_every = kRound;
  // Nobody needs time to answer or to start driving, and no position is stale.
  config.offer_lease = kRound;
  config.sharing.margin = Duration::zero();
  config.sharing.round_heard_within = config.sharing.route_heard_within = Duration::zero();
  config.sharing.dwell = slice.dwell;
  return config;
}

}  // namespace

StillCity::StillCity(const Slice& slice, const roads::Router& router,
                     const trip::SharingTerms& terms)
    : slice_(slice),
      router_(router),
      trips_("slice", router, terms,
             [this](const trip::v1::TripEvent& event) {
               events_.push_back(dispatch::TripLogged{event});
             }),
      market_(Config(slice)),
      search_(router, {}) {}

StillCity::Result StillCity::Run(int rounds) {
  for (std::size_t car = 0; car < slice_.cars.size(); ++car) {
    dispatch::DriverConnected connected{NameOf(car), 1, false, {}};
    connected.hello.set_seats(slice_.cars[car].seats);
    connected.hello.set_accepts_insertions(true);
    Handle(connected);
  }
  Handle(dispatch::LogCaughtUp{});
  trips_.MoveTo(now_);
  for (std::size_t rider = 0; rider < slice_.riders.size(); ++rider) {
    const auto status = trips_.Request(
        TripOf(rider), {{}, slice_.riders[rider].pickup, slice_.riders[rider].dropoff, 1}, true);
    if (!status.ok()) return {};
  }
  Drain();
  for (int round = 0; round < rounds; ++round) {
    now_ += kRound;
    trips_.MoveTo(now_);
    Handle(dispatch::Wake{});
    Drain();
  }
  return Measure();
}

void StillCity::Drain() {
  while (!events_.empty()) {
    const dispatch::Event event = std::move(events_.front());
    events_.pop_front();
    Handle(event);
  }
}

void StillCity::Handle(const dispatch::Event& event) {
  for (const dispatch::Decision& decision : market_.Handle(event, now_)) {
    std::visit([this](const auto& what) { Do(what); }, decision);
  }
}

void StillCity::Do(const dispatch::Push& decision) {
  if (decision.message.has_plan()) plans_[decision.driver] = decision.message.plan();
  if (!decision.message.has_offer()) return;
  dispatch::v1::OfferAnswer answer;
  answer.set_offer_id(decision.message.offer().offer_id());
  answer.set_accept(true);
  events_.push_back(dispatch::OfferAnswered{decision.driver, answer});
}

void StillCity::Do(const dispatch::SetAvailability& decision) {
  if (decision.state == location::v1::DRIVER_STATE_IDLE) {
    idle_.insert(decision.driver);
  } else {
    idle_.erase(decision.driver);
  }
}

void StillCity::Do(const dispatch::FindCandidates& decision) {
  std::vector<std::vector<dispatch::NearbyDriver>> nearby;
  for (const auto& query : decision.queries) nearby.push_back(Nearest(query));
  search_.Begin(decision, std::move(nearby));
  while (search_.Step()) {
  }
  events_.push_back(search_.Take());
}

void StillCity::Do(const dispatch::FindRoute& decision) {
  events_.push_back(dispatch::RouteFound{decision.driver, decision.request,
                                         dispatch::FindWay(router_, decision)});
}

void StillCity::Do(const dispatch::TripCommand& decision) {
  // The log's entry follows the answer, as in reality.
  absl::StatusOr<trip::v1::Trip> trip = trips_.Do(decision);
  events_.push_front(dispatch::CommandDone{decision.command, std::move(trip)});
}

std::vector<dispatch::NearbyDriver> StillCity::Nearest(
    const dispatch::FindCandidates::Query& query) const {
  constexpr std::size_t kCandidates = 16;
  std::vector<std::pair<double, DriverId>> near;
  for (const DriverId& driver : idle_) {
    const LatLng place = slice_.cars[NumberIn(driver.str())].place;
    const double distance_m = FastDistanceM(query.pickup, place);
    if (distance_m <= query.radius_m) near.emplace_back(distance_m, driver);
  }
  std::sort(near.begin(), near.end());
  near.resize(std::min(near.size(), kCandidates));
  std::vector<dispatch::NearbyDriver> nearest;
  for (const auto& [distance_m, driver] : near) {
    nearest.push_back({driver, slice_.cars[NumberIn(driver.str())].place});
  }
  return nearest;
}

StillCity::Result StillCity::Measure() const {
  Result result;
  for (const auto& [driver, plan] : plans_) {
    std::vector<SliceStop> stops;
    for (const dispatch::v1::Stop& stop : plan.stops()) {
      stops.push_back({NumberIn(stop.trip_id()), stop.kind() == dispatch::v1::STOP_KIND_PICK_UP});
    }
    const std::optional<Duration> cost = CostOf(slice_, NumberIn(driver.str()), stops);
    if (!cost) ++result.broken;
    result.cost += cost.value_or(Duration::zero());
  }
  for (const trip::v1::Trip& trip : trips_.All()) {
    if (trip.state() == trip::v1::TRIP_STATE_ASSIGNED) {
      ++result.served;
    } else {
      result.cost += slice_.unserved + slice_.riders[NumberIn(trip.trip_id())].direct;
    }
  }
  return result;
}

}  // namespace ridestream::bench
