#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_port.h"
#include "libs/base/worker.h"
#include "libs/roads/streets.h"
#include "libs/streams/follow_stream.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "s2/s2latlng_rect.h"
#include "services/dispatch/drive/offer_times.h"
#include "services/dispatch/drive/session_registry.h"
#include "services/dispatch/runner/command_sender.h"
#include "services/dispatch/runner/location_port.h"
#include "services/dispatch/runner/log_reader.h"
#include "services/dispatch/runner/market_lease.h"
#include "services/dispatch/runner/market_loop.h"
#include "services/dispatch/runner/open_requests.h"
#include "services/dispatch/runner/planner.h"
#include "services/dispatch/runner/position_forwarder.h"
#include "services/dispatch/runner/progress_reporter.h"
#include "services/dispatch/runner/ride_tracer.h"
#include "services/dispatch/runner/speed_keeper.h"
#include "services/dispatch/runner/trip_port.h"

namespace ridestream::dispatch {

/// Runs one market over ports: carries out the decisions of its MarketLoop, and follows the trip
/// log from the oldest open trip, and again from its last position whenever the stream breaks. It
/// decides only while it leads the market. Before, it follows the decisions of another process,
/// ready to take over. Thread-safe.
class MarketRunner final : public EventSink, private MarketLoop::Observer {
 public:
  /// Observes a market.
  class Observer : public MarketLoop::Observer {
   public:
    /// The trip service answered a command with this name, such as "assign". Called on any thread.
    virtual void CommandEnded(const std::string& command, absl::StatusCode code) = 0;
  };
  struct Config {
    MarketConfig market;
    PlannerConfig planner;
    /// Address of the trip service, for the log.
    std::string trip = {};
    /// See EventQueue.
    std::size_t max_waiting_events = EventQueue::kMax;
  };
  /// The market's own dependencies.
  struct Ports {
    std::unique_ptr<TripPort> trip;
    std::unique_ptr<LocationPort> location;
    PositionForwarder::Open open_positions;
    std::unique_ptr<Observer> observer;
    std::shared_ptr<const roads::Streets> streets;
    /// Null if the streets' travel times are those of the map.
    std::unique_ptr<SpeedKeeper> speeds;
    /// Null: rides aren't traced.
    std::unique_ptr<RideTracer> rides = nullptr;
  };
  /// Dependencies shared with other markets, which must outlive this one.
  struct Dependencies {
    const Clock& clock;
    TimerPort& timers;
    Executor& executor;
    /// Offset to add to the trip service's time, in which its records are written, to get the local
    /// time.
    std::function<Duration()> trip_to_ours;
    MarketLease& lease;
    SessionRegistry& sessions;
    ProgressReporter& progress;
  };

  MarketRunner(const Config& config, Ports ports, Dependencies surroundings);
  ~MarketRunner() override;

  /// Starts to follow the log. `on_caught_up` is called each time the market has caught up with the
  /// log while it leads.
  void Start(std::function<void()> on_caught_up);
  /// The lease is held: reads the log to its current end, and decides from then on. Doesn't block.
  void Lead();
  /// Stops deciding. Waits for calls in progress.
  void Stop();

  bool Post(Event event) override { return loop_.Post(std::move(event)); }
  void PostAlways(Event event) override { loop_.PostAlways(std::move(event)); }
  PositionForwarder& positions() { return positions_; }
  const PositionForwarder& positions() const { return positions_; }
  /// Where the market's drivers can be: the bounding box of the streets with a margin.
  const S2LatLngRect& area() const { return area_; }
  /// Null: nobody wants to know of acks.
  AckListener* acks() { return rides_.get(); }
  OfferTimes& offer_times() { return offer_times_; }
  const OfferTimes& offer_times() const { return offer_times_; }
  const EventQueue& events() const { return loop_.events(); }
  const roads::Streets& streets() const { return *streets_; }
  /// Null if the streets' travel times are those of the map.
  const SpeedKeeper* speeds() const { return speeds_.get(); }
  /// The market's highest surge, in percent of the tariff; 100 if there is none.
  std::uint32_t highest_surge_percent() const { return highest_surge_percent_; }
  /// The counters of Market with these names.
  std::uint64_t eta_corrections() const { return loop_.eta_corrections(); }
  std::uint64_t promises_broken() const { return loop_.promises_broken(); }
  std::uint64_t rounds_out_of_time() const { return loop_.rounds_out_of_time(); }

 private:
  using LogStream = streams::FollowStream<trip::v1::FollowTripsResponse>;

  void Handling(const Event& event, Time now) override;
  void Decided(const std::vector<Decision>& decisions) override;
  void Handled(const Event& event, std::chrono::nanoseconds took) override;

  void Follow();
  std::optional<std::chrono::nanoseconds> AcquireLease();
  void ScheduleSurvey() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Survey();
  bool OnLog(trip::v1::FollowTripsResponse& message);
  void OnLogEnd(const absl::Status& status, bool is_news);

  void Do(const SendWelcome& decision);
  void Do(dispatch::Push decision);
  void Do(const EndSession& decision);
  void Do(const SetAvailability& decision);
  void Do(FindCandidates decision);
  void Do(FindRoute decision);
  void Do(TripCommand decision) { commands_.Send(std::move(decision)); }
  void Do(ReportProgress decision);
  void Do(const StepJudged& decision);
  void Do(StreetsDriven decision);
  void Do(const SetSurge& decision);

  const std::string market_name_;
  const std::string trip_address_;
  const std::shared_ptr<const roads::Streets> streets_;
  const S2LatLngRect area_;
  const Dependencies dependencies_;
  const std::unique_ptr<Observer> observer_;
  const std::unique_ptr<RideTracer> rides_;
  MarketLoop loop_;
  PositionForwarder positions_;
  OfferTimes offer_times_;
  Planner planner_;
  const std::unique_ptr<SpeedKeeper> speeds_;
  std::atomic<std::uint32_t> highest_surge_percent_ = 100;
  std::function<void()> on_caught_up_;
  // Used by the follower's functions only, which run one at a time.
  LogReader log_reader_;
  OpenRequests requests_;
  std::unique_ptr<TripPort> trip_;  // Null when stopped.
  CommandSender commands_;
  Mutex mu_;
  TimerPort::Handle survey_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::unique_ptr<LogStream> log_;
  std::atomic<bool> leads_ = false;
  // Reopens the log after the end of the previous stream. Null before Start and after Stop.
  std::unique_ptr<Worker> leader_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::dispatch
