#include "tests/replay/what_if.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "libs/proto_values/proto_values.h"

namespace ridestream::replay {
namespace {

using dispatch::MarketConfig;

/// False for a value that the flag can't have.
using Setter = std::function<bool(const std::string&, MarketConfig&)>;

template <class E>
Setter OneOf(std::map<std::string, E> names, std::function<E&(MarketConfig&)> field) {
  return [names = std::move(names), field = std::move(field)](const std::string& value,
                                                              MarketConfig& config) {
    const auto found = names.find(value);
    if (found == names.end()) return false;
    field(config) = found->second;
    return true;
  };
}

Setter DurationOf(std::function<Duration&(MarketConfig&)> field) {
  return [field = std::move(field)](const std::string& value, MarketConfig& config) {
    absl::Duration duration;
    if (!absl::ParseDuration(value, &duration) || duration < absl::ZeroDuration() ||
        duration > absl::Hours(24)) {
      return false;
    }
    field(config) = absl::ToChronoMicroseconds(duration);
    return true;
  };
}

Setter MetresOf(std::function<std::uint32_t&(MarketConfig&)> field) {
  return [field = std::move(field)](const std::string& value, MarketConfig& config) {
    std::uint32_t metres = 0;
    if (!absl::SimpleAtoi(value, &metres) || metres < 10 || metres > 50'000) return false;
    field(config) = metres;
    return true;
  };
}

const std::map<std::string, Setter>& Setters() {
  using dispatch::MatchingMethod;
  using dispatch::SharingMode;
  static const auto& setters = *new std::map<std::string, Setter>{
      {"matching", OneOf<MatchingMethod>(
                       {{"assignment", MatchingMethod::kAssignment},
                        {"nearest", MatchingMethod::kNearestByTime},
                        {"nearest_line", MatchingMethod::kNearestByLine}},
                       [](auto& c) -> auto& { return c.matching; })},
      {"sharing", OneOf<SharingMode>(
                      {{"search", SharingMode::kInsertionAndMoves},
                       {"insertion", SharingMode::kInsertion},
                       {"off", SharingMode::kOff}},
                      [](auto& c) -> auto& { return c.sharing.mode; })},
      {"match_every", DurationOf([](auto& c) -> auto& { return c.match_every; })},
      {"offer_lease", DurationOf([](auto& c) -> auto& { return c.offer_lease; })},
      {"max_wait", DurationOf([](auto& c) -> auto& { return c.max_wait; })},
      {"price_hold", DurationOf([](auto& c) -> auto& { return c.price_hold; })},
      {"unmatched_cost", DurationOf([](auto& c) -> auto& { return c.matching_costs.unmatched; })},
      {"search_radius_m", MetresOf([](auto& c) -> auto& { return c.radius_m; })},
      {"max_radius_m", MetresOf([](auto& c) -> auto& { return c.max_radius_m; })}};
  return setters;
}

}  // namespace

absl::Status Change(const std::vector<std::string>& changes, MarketConfig& config) {
  for (const std::string& change : changes) {
    const std::size_t equals = change.find('=');
    const auto setter = Setters().find(change.substr(0, equals));
    if (equals == std::string::npos || setter == Setters().end()) {
      std::string known;
      for (const auto& [name, set] : Setters()) known += (known.empty() ? "" : ", ") + name;
      return absl::InvalidArgumentError(fmt::format(
          "--what_if={}: must be FLAG=VALUE, where the flag is one of {}", change, known));
    }
    if (!setter->second(change.substr(equals + 1), config)) {
      return absl::InvalidArgumentError(
          fmt::format("--what_if={}: not a value of dispatch's --{}", change, setter->first));
    }
  }
  if (config.max_radius_m < config.radius_m) {
    return absl::InvalidArgumentError("--what_if: max_radius_m must be at least search_radius_m");
  }
  return absl::OkStatus();
}

void Participants::Note(const dispatch::Event& event, Time now) {
  if (const auto* connected = std::get_if<dispatch::DriverConnected>(&event)) {
    seats_[connected->driver] = connected->hello.seats();
  } else if (const auto* moved = std::get_if<dispatch::DriverMoved>(&event)) {
    See(moved->driver, moved->position);
  } else if (const auto* survey = std::get_if<dispatch::FleetSurveyed>(&event)) {
    for (const auto& [driver, place] : survey->drivers) See(driver, place);
  } else if (const auto* found = std::get_if<dispatch::CandidatesFound>(&event)) {
    if (!found->trips.ok()) return;
    for (const auto& trip : *found->trips) {
      for (const auto& candidate : trip.candidates) See(candidate.driver, candidate.position);
    }
  } else if (const auto* answer = std::get_if<dispatch::OfferAnswered>(&event)) {
    ++(answer->answer.accept() ? accepted_ : declined_);
  } else if (const auto* logged = std::get_if<dispatch::TripLogged>(&event)) {
    const trip::v1::Trip& trip = logged->event.trip();
    if (trip.version() != 1) return;
    requests_.try_emplace(TripId(trip.trip_id()),
                          Request{now, FromProto(trip.pickup()), FromProto(trip.dropoff()),
                                  trip.passenger().party_size(), trip.has_promise()});
  }
}

bench::VirtualCityOptions Participants::City(MarketConfig config) const {
  bench::VirtualCityOptions city;
  config.matching_deadline = dispatch::NoDeadline();  // The same city on every machine.
  city.market = std::move(config);
  for (const auto& [driver, place] : places_) {
    const auto seats = seats_.find(driver);
    if (seats != seats_.end()) city.fleet.push_back({place, seats->second});
  }
  std::optional<Time> begin;
  std::size_t shared = 0;
  for (const auto& [trip, request] : requests_) {
    begin = std::min(begin.value_or(request.at), request.at);
    shared += request.shared ? 1 : 0;
  }
  for (const auto& [trip, request] : requests_) {
    city.requests.push_back(
        {request.at - *begin, request.pickup, request.dropoff, request.party_size});
  }
  std::stable_sort(city.requests.begin(), city.requests.end(),
                   [](const auto& a, const auto& b) { return a.due < b.due; });
  if (!requests_.empty()) {
    city.shared_probability = static_cast<double>(shared) / static_cast<double>(requests_.size());
  }
  if (const std::uint64_t answers = accepted_ + declined_; answers > 0) {
    city.offers.accept_probability = static_cast<double>(accepted_) / static_cast<double>(answers);
    city.offers.decline_probability = 1 - city.offers.accept_probability;
  }
  return city;
}

}  // namespace ridestream::replay
