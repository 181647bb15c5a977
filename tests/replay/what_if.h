#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/roads/streets.h"
#include "services/dispatch/domain/market/market.h"
#include "tests/bench/matching/virtual_city.h"

namespace ridestream::replay {

/// Applies `changes`, each like "matching=nearest": flags of dispatch with their values.
/// INVALID_ARGUMENT lists the flags that can be changed, or says what is wrong with a value.
absl::Status Change(const std::vector<std::string>& changes, dispatch::MarketConfig& config);

/// Participants of a record: the riders with their requests, and the drivers where each was first
/// seen. Not thread-safe.
class Participants {
 public:
  /// Records an event of the market.
  void Note(const dispatch::Event& event, Time now);

  std::size_t drivers() const { return places_.size(); }
  std::size_t requests() const { return requests_.size(); }
  /// A city with these participants in virtual time, in a market with these settings.
  bench::VirtualCityOptions City(dispatch::MarketConfig config) const;

 private:
  void See(const DriverId& driver, LatLng place) { places_.try_emplace(driver, place); }

  std::map<DriverId, std::uint32_t> seats_;
  std::map<DriverId, LatLng> places_;
  struct Request {
    Time at;
    LatLng pickup;
    LatLng dropoff;
    std::uint32_t party_size = 1;
    bool shared = false;
  };
  std::map<TripId, Request> requests_;
  std::uint64_t accepted_ = 0;
  std::uint64_t declined_ = 0;
};

}  // namespace ridestream::replay
