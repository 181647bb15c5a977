#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/base/clock.h"
#include "libs/base/timer_queue.h"
#include "libs/peer_clock/peer_clock.h"
#include "libs/roads/streets.h"
#include "libs/rpc/follow_stream.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "s2/s2latlng_rect.h"
#include "services/dispatch/rpc/market_meter.h"
#include "services/dispatch/rpc/position_forwarder.h"
#include "services/dispatch/rpc/progress_reporter.h"
#include "services/dispatch/rpc/speed_keeper.h"
#include "services/dispatch/runner/log_reader.h"
#include "services/dispatch/runner/market_loop.h"
#include "services/dispatch/runner/planner.h"
#include "services/dispatch/sessions/offer_times.h"
#include "services/dispatch/sessions/session_registry.h"

namespace ridestream::dispatch {

/// Runs one market over gRPC: carries the decisions of its MarketLoop out, and follows trip's log
/// from the oldest open trip, and again from where it was whenever the stream breaks. Thread-safe.
class MarketRunner final : public EventSink {
 public:
  struct Surroundings {
    const Clock& clock;
    TimerQueue& timers;
    Executor& executor;
    /// Trip's, in which its records are written.
    const PeerClock& trip_clock;
    SessionRegistry& sessions;
    trip::v1::TripService::StubInterface& trip;
    location::v1::LocationService::StubInterface& location;
    ProgressReporter& progress;
    prometheus::Registry& metrics;
  };

  /// `update_speeds_every`: how often the streets' times follow what cars drive, by the clock; 0
  /// for never.
  MarketRunner(const MarketConfig& config, const PlannerConfig& planner_config,
               Duration update_speeds_every, std::unique_ptr<roads::Streets> streets,
               const Surroundings& surroundings);
  ~MarketRunner() override;

  /// Begins to follow the log and to decide. `on_caught_up` is called each time the log was caught
  /// up.
  void Start(std::function<void()> on_caught_up);
  /// Stops deciding. Waits for the calls under way.
  void Stop();

  bool Post(Event event) override { return loop_.Post(std::move(event)); }
  void Tell(Event event) override { loop_.Tell(std::move(event)); }
  PositionForwarder& positions() { return positions_; }
  const PositionForwarder& positions() const { return positions_; }
  /// Where its drivers can be: the rectangle around the streets, and some way beyond.
  const S2LatLngRect& area() const { return area_; }
  OfferTimes& offer_times() { return offer_times_; }
  const OfferTimes& offer_times() const { return offer_times_; }
  const EventQueue& events() const { return loop_.events(); }
  const roads::Streets& streets() const { return *streets_; }
  /// Null if the streets' times are the map's.
  const SpeedKeeper* speeds() const { return speeds_.get(); }
  /// By how much rides cost more in the dearest part of the market, in percent, 100 for nothing.
  std::uint32_t highest_surge_percent() const { return highest_surge_percent_; }
  /// What Market counts under these names.
  std::uint64_t eta_corrections() const { return loop_.eta_corrections(); }
  std::uint64_t promises_broken() const { return loop_.promises_broken(); }
  std::uint64_t rounds_out_of_time() const { return loop_.rounds_out_of_time(); }

 private:
  void ScheduleSurvey() ABSL_EXCLUSIVE_LOCKS_REQUIRED(survey_mu_);
  void Survey();
  /// Calls of trip that Stop waits for.
  void BeginCall();
  void EndCall();
  using LogStream = rpc::FollowStream<trip::v1::FollowTripsRequest, trip::v1::FollowTripsResponse>;

  bool OnLog(trip::v1::FollowTripsResponse& message);
  void OpenLog(grpc::ClientContext* context, trip::v1::FollowTripsRequest* request,
               grpc::ClientReadReactor<trip::v1::FollowTripsResponse>* reactor);
  void OnLogEnd(const grpc::Status& status);

  void Do(const SendWelcome& decision);
  void Do(dispatch::Push decision);
  void Do(const EndSession& decision);
  void Do(const SetAvailability& decision);
  void Do(FindCandidates decision);
  void Do(FindRoute decision);
  void Do(TripCommand decision);
  void Do(ReportProgress decision);
  void Do(const StepJudged& decision);
  void Do(StreetsDriven decision);
  void Do(const SetSurge& decision);
  /// Remembers which request a trip was made by, while it is open.
  void NoteRequest(const trip::v1::Trip& trip);
  std::string RequestOf(const std::string& trip_id);
  /// Tells of a command that failed: of one that the market repeats only when it begins to fail,
  /// and when it is through.
  void LogCommand(const char* name, const std::string& trip_id, const absl::Status& status);
  /// The requests of those trips of a round that weren't in a round before, as many as a call
  /// bears.
  std::vector<std::string> NewRequestsOf(const FindCandidates& round);

  /// `name` is the command's in metrics and logs.
  template <class Request, class Response, class Call>
  void Tell(const char* name, std::uint64_t command, Request request, Call call);

  const std::string market_name_;
  const std::unique_ptr<roads::Streets> streets_;
  const S2LatLngRect area_;
  const Surroundings around_;
  MarketMeter meter_;
  MarketLoop loop_;
  PositionForwarder positions_;
  OfferTimes offer_times_;
  Planner planner_;
  const std::unique_ptr<SpeedKeeper> speeds_;
  std::atomic<std::uint32_t> highest_surge_percent_ = 100;
  std::function<void()> on_caught_up_;
  // Touched by the follower's functions alone, which run one at a time.
  LogReader log_reader_;
  Mutex mu_;
  CondVar idle_;
  int calls_under_way_ ABSL_GUARDED_BY(mu_) = 0;
  struct TripRequest {
    std::string id;
    bool was_in_a_round = false;
    /// Of its command under way.
    int failures = 0;
  };
  // By trip; those that are open.
  absl::flat_hash_map<std::string, TripRequest> requests_ ABSL_GUARDED_BY(mu_);
  Mutex survey_mu_;
  TimerQueue::Handle survey_ ABSL_GUARDED_BY(survey_mu_) = 0;
  bool stopped_ ABSL_GUARDED_BY(survey_mu_) = false;
  std::unique_ptr<LogStream> log_;
};

}  // namespace ridestream::dispatch
