#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/roads/streets.h"
#include "loadtest/demand/demand.h"
#include "loadtest/report/histogram.h"
#include "services/dispatch/candidates/round_search.h"
#include "services/dispatch/domain/market/market.h"
#include "tests/bench/matching/agenda.h"
#include "tests/bench/matching/virtual_driver.h"
#include "tests/bench/matching/virtual_trips.h"

namespace ridestream::bench {

struct VirtualCityOptions {
  std::vector<loadtest::FleetPlace> fleet;
  std::vector<loadtest::Request> requests;
  dispatch::MarketConfig market;
  trip::SharingTerms sharing;
  /// Probability that a rider shares.
  double shared_probability = 0;
  loadtest::OfferResponder::Habits offers;
  loadtest::Itinerary::Options stops;
  std::uint64_t seed = 1;
  /// Maximum number of free drivers that location returns for a trip.
  std::size_t candidates = 16;
  Duration report_every = std::chrono::seconds(4);
  /// Whether the time that decisions take passes in the city too.
  bool charge_thinking = false;
  /// Called every five minutes of the city's time with the number of requests so far; may be empty.
  std::function<void(std::chrono::minutes passed, std::size_t requested)> on_minutes = {};
};

struct CityResult {
  std::size_t requests = 0;
  /// Requests that were refused: off the streets, or without a route.
  std::size_t refused = 0;
  std::size_t served = 0;
  std::size_t shared = 0;
  std::size_t broken_promises = 0;
  /// Promises that riders were notified of as broken during the ride.
  std::uint64_t promises_broken = 0;
  /// Mean time from the request to the driver's arrival, of served riders, in the city's time.
  double wait_mean_s = 0;
  double wait_p95_s = 0;
  /// Total duration of all rides relative to the direct routes, minus one.
  double detour = 0;
  double km_per_rider = 0;
  double empty_share = 0;
  /// Trips aboard, averaged over the occupied kilometres.
  double riders_per_car = 0;
  /// Time that rounds took to decide and search, in milliseconds.
  double round_ms_p50 = 0;
  double round_ms_p99 = 0;
  std::size_t rounds = 0;
  std::uint64_t rounds_out_of_time = 0;
  /// Faults that drivers detected in their pushes.
  std::uint64_t violations = 0;
  /// Fingerprint of trip's whole log: equal runs have equal fingerprints.
  std::uint64_t fingerprint = 0;
};

/// A city in virtual time around dispatch's own core: its market, its search for candidates and
/// routes, trip's own core, and the load generator's cars. It uses no RPC and no threads. The same
/// options give exactly the same city, unless deciding is charged. Commands, routes and messages
/// take some milliseconds, as in reality.
class VirtualCity {
 public:
  /// `streets` must outlive it.
  VirtualCity(VirtualCityOptions options, const roads::Streets& streets);

  /// Runs until all requests have been made and all trips have ended. Call once.
  CityResult Run();

 private:
  struct Seat {
    std::unique_ptr<VirtualDriver> driver;
    bool wants_positions = false;
    bool reporting = false;
    /// When its OnTime is scheduled.
    Time due = Time::max();
  };

  void Begin();
  void Request(std::size_t index);
  void Feed(const dispatch::Event& event);
  void FeedTimed(const dispatch::Event& event, Duration& thought);
  void Do(const dispatch::SendWelcome&, Duration) {}
  void Do(const dispatch::EndSession&, Duration) {}
  void Do(dispatch::Push decision, Duration lag);
  void Do(const dispatch::SetAvailability& decision, Duration lag);
  void Do(dispatch::FindCandidates decision, Duration lag);
  void Do(dispatch::FindRoute decision, Duration lag);
  void Do(dispatch::TripCommand decision, Duration lag);
  void Do(const dispatch::ReportProgress&, Duration) {}
  void Do(const dispatch::StepJudged&, Duration) {}
  void Do(const dispatch::StreetsDriven&, Duration) {}
  void Do(const dispatch::SetSurge&, Duration) {}
  std::vector<dispatch::NearbyDriver> Nearest(const dispatch::FindCandidates::Query& query) const;
  void ScheduleWake();
  void ScheduleDriver(Seat& seat);
  void TickDriver(Seat& seat);
  void ReportPosition(Seat& seat);
  void OnLog(const trip::v1::TripEvent& event);
  bool IsOver() const;
  CityResult Measure();

  const VirtualCityOptions options_;
  const roads::Streets& streets_;
  Agenda agenda_;
  VirtualTrips trips_;
  dispatch::Market market_;
  dispatch::RoundSearch search_;
  std::map<DriverId, Seat> seats_;
  std::map<DriverId, std::uint32_t> idle_;
  Time wake_ = Time::max();
  std::size_t requested_ = 0;
  std::size_t refused_ = 0;
  std::size_t open_trips_ = 0;
  Duration round_began_thought_{};
  loadtest::Histogram round_us_;
  std::uint64_t fingerprint_ = 0xcbf29ce484222325ULL;
};

}  // namespace ridestream::bench
