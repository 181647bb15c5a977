#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/timer_queue.h"
#include "libs/roads/streets.h"
#include "loadtest/auditor/verdict.h"
#include "loadtest/city/index_watcher.h"
#include "loadtest/city/record_reader.h"
#include "loadtest/demand/demand.h"
#include "loadtest/driver/cruise.h"
#include "loadtest/driver/fleet.h"
#include "loadtest/report/progress.h"
#include "loadtest/report/report.h"
#include "loadtest/rider/crowd.h"
#include "loadtest/rider/offer_log.h"

namespace ridestream::loadtest {

/// The options of a run.
struct CityOptions {
  std::string trip_address, dispatch_address, location_address;
  std::string market = "city";
  std::vector<FleetPlace> fleet;
  DriverHabits driver_habits;
  RiderHabits rider_habits;
  std::uint64_t seed = 1;
  /// Number of connections to dispatch that the drivers' streams share; 0: as many as needed.
  int connections = 0;
  /// Longest time for the phases, wall time.
  std::chrono::seconds connect{20};
  std::chrono::seconds load{60};
  std::chrono::seconds drain{120};
  ProgressMode progress = ProgressMode::kNone;
  /// Number of riders whose requests are traced.
  int traced_rides = 0;
  /// May be null; must outlive the city.
  OfferLog* offer_log = nullptr;
};

/// A whole run: the fleet connects, riders request trips, the last trips end, the record is
/// audited. For one thread, which Run blocks.
class City {
 public:
  /// `streets` must outlive it.
  City(CityOptions options, const roads::Streets& streets, std::unique_ptr<Demand> demand,
       std::shared_ptr<const Clock> clock);
  ~City();

  /// Runs the city. Call once. The first SIGINT or SIGTERM ends the load, or the phase that follows
  /// it, and the progress output says what comes next. The second ends all phases, but report and
  /// audit still follow. The third ends the process. UNAVAILABLE if a service can't be reached or
  /// no driver gets a session.
  absl::StatusOr<Report> Run();

 private:
  absl::Status Reach();
  absl::Status Connect();
  /// Waits, and shows progress, until `done`, for at most `longest`, or until a signal arrives.
  void Phase(const std::string& name, std::chrono::milliseconds longest,
             const std::function<bool()>& done);
  void OnStopSignal();
  void Drain();
  Verdict Audit(RideFigures& rides);
  bool NobodyCanCancel() const;

  const CityOptions options_;
  const roads::Streets& streets_;
  const std::shared_ptr<const Clock> clock_;
  // Different for each run, so that no id of a rider or driver has been used before.
  const std::string id_prefix_;
  const StreetCruises cruises_;
  Tally tally_;
  FirstOffers first_offers_;
  TimerQueue timers_;
  RecordReader record_;
  Fleet fleet_;
  Crowd crowd_;
  Progress progress_;
  std::unique_ptr<IndexWatcher> index_watcher_;
  std::uint64_t log_begin_ = 0;
  Time began_{};
  int stop_signals_ = 0;
  bool is_draining_ = false;
};

}  // namespace ridestream::loadtest
