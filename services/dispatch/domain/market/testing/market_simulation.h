#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "services/dispatch/domain/market/market.h"
#include "services/dispatch/domain/market/testing/fake_trips.h"
#include "services/dispatch/domain/market/testing/market_checker.h"

namespace ridestream::dispatch {

/// A market with drivers, riders and services who misbehave: they answer late, twice or wrongly,
/// fall silent and return. Commands fail, or are carried out and fail, and processes crash.
/// Everything is derived from a seed, and equal seeds give equal runs. For tests.
class MarketSimulation {
 public:
  explicit MarketSimulation(std::uint64_t seed);

  /// Makes one random event happen.
  void Disturb();
  /// Everybody behaves from now on, for an hour or until no trip is open.
  void Calm();

  /// The trip service's records of open trips.
  std::string OpenTrips() const;
  const MarketChecker& checker() const { return checker_; }
  /// All decisions so far, as bytes.
  const std::string& transcript() const { return transcript_; }
  const Market& market() const { return *market_; }

 private:
  static constexpr int kDrivers = 7;

  struct DriverLife {
    std::uint64_t epoch = 0;
    bool has_session = false;
  };

  bool Chance(int percent) { return Below(100) < percent; }
  int Below(int bound) { return static_cast<int>(random_() % static_cast<std::uint64_t>(bound)); }
  LatLng Somewhere();
  DriverId SomeDriver() { return DriverId("d-" + std::to_string(Below(kDrivers))); }
  std::string SomeTrip() { return "t-" + std::to_string(1 + Below(std::max(1, last_trip_))); }

  void Feed(const Event& event);
  void Pass(Duration duration);
  void Crash();
  void Survey();
  void RiderActs();
  void StreamActs();
  void DriverActs();
  void DriverErrs();
  void DeliverLog(std::size_t events);
  void Connect(const DriverId& driver, bool resume);
  void Drop(const DriverId& driver);
  void AnswerOffer(const DriverId& driver, bool accept);
  void DriveOn(const DriverId& driver);
  void AnswerCommand(std::size_t which, bool well);
  void AnswerRound(bool well);
  std::vector<InsertionFound> SomeInsertions(const FindCandidates& round);
  void AnswerRoute(std::size_t which, bool well);
  void AssignBehindTheBack();

  std::mt19937_64 random_;
  Time now_ = ScaledClock::kAnchor;
  FakeTrips trips_{"test"};
  std::unique_ptr<Market> market_;
  MarketChecker checker_{now_};
  int lives_ = 0;
  int last_trip_ = 0;
  /// Where in the log the current market started, and how far it has read.
  std::size_t followed_from_ = 0;
  std::size_t delivered_ = 0;
  bool caught_up_ = false;
  std::vector<DriverLife> drivers_{kDrivers};
  std::vector<TripCommand> commands_;
  std::vector<FindCandidates> rounds_;
  std::vector<FindRoute> routes_;
  std::string transcript_;
};

}  // namespace ridestream::dispatch
