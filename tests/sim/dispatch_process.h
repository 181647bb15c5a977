#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/dispatch/domain/market/testing/market_checker.h"
#include "services/dispatch/runner/log_reader.h"
#include "services/dispatch/runner/market_loop.h"
#include "services/dispatch/runner/planner.h"
#include "services/dispatch/sessions/driver_session.h"
#include "tests/sim/call.h"
#include "tests/sim/describe.h"
#include "tests/sim/drive_call.h"
#include "tests/sim/link.h"
#include "tests/sim/location_process.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/town.h"
#include "tests/sim/trip_process.h"

namespace ridestream::sim {

/// A life of the dispatch service: the real market with its loop, planner, log reader and
/// sessions, and what the gRPC shell does around them, namely the registry of sessions with its
/// tick, and the streams of the log, of positions and of progress. Not thread-safe.
class DispatchProcess final : public dispatch::EventSink,
                              public dispatch::PositionSink,
                              private dispatch::MarketLoop::Observer {
 public:
  /// Who else there is; a pointer is null while that process is down.
  struct Neighbours {
    Host& trip_host;
    std::unique_ptr<TripProcess>& trip;
    Host& location_host;
    std::unique_ptr<LocationProcess>& location;
  };

  DispatchProcess(Context& context, Host& host, const Neighbours& neighbours,
                  dispatch::MarketChecker& checker);
  ~DispatchProcess() override;

  /// A driver opens a stream; its messages come to OnDriverMessage.
  void Drive(std::shared_ptr<Link> link, const DriverId& driver, DriveCall::Deliver deliver);
  void OnDriverMessage(const Link& link, const dispatch::v1::DriveRequest& request);

  // -- For DriveCall, as the registry of sessions
  // ---------------------------------------------------

  absl::StatusOr<std::shared_ptr<dispatch::DriverSession>> FindOrMake(
      const DriverId& driver, const dispatch::v1::Hello& hello);
  SessionId FreshSessionId() { return SessionId(context_.NextId('s')); }
  void Forget(const DriveCall& call);
  const Life& life() const { return host_.life(); }

  // -- For DriveCall, as one who looks on
  // -----------------------------------------------------------

  std::uint64_t NewestEpochOf(const DriverId& driver) const;
  /// Whether the session that the Hello names is one that this process holds and hasn't voided, and
  /// the Hello isn't one that was overtaken: a driver who has acked more on a newer stream.
  bool CouldResume(const DriverId& driver, const dispatch::v1::Hello& hello) const;
  /// A Hello was taken in, or refused.
  void Attached(const DriverId& driver, const absl::StatusOr<std::uint64_t>& epoch,
                const SessionId& fresh, bool could_resume);
  /// The driver, on its newest stream, has all up to there.
  void Acked(const DriverId& driver, std::uint64_t sequence);
  /// While it lives, what comes from a driver came on the stream of that epoch.
  class Speaker {
   public:
    Speaker(DispatchProcess& process, const DriverId& driver, std::uint64_t epoch)
        : process_(process) {
      process_.fenced_speaks_ = epoch != process.NewestEpochOf(driver);
    }
    ~Speaker() { process_.fenced_speaks_ = false; }
    Speaker(const Speaker&) = delete;
    Speaker& operator=(const Speaker&) = delete;

   private:
    DispatchProcess& process_;
  };

  bool Post(dispatch::Event event) override;
  void Tell(dispatch::Event event) override;
  void Add(absl::FunctionRef<void(location::v1::PositionReport&)> fill) override;

  std::size_t streams() const { return streams_.size(); }
  /// Without surveys, which come as long as the process lives.
  std::size_t events_waiting() const;

 private:
  /// What was seen of a driver's sessions.
  struct Seen {
    dispatch::SessionCounters counters;
    std::uint64_t newest_epoch = 0;
    SessionId session;
    std::uint64_t resumed = 0;  // Of the counters, when last looked at.
    std::uint64_t voided = 0;   // Of the counters, when the session began.
    std::uint64_t acked = 0;
  };

  void Tick();
  /// The session was dropped. Returns the next one.
  std::map<DriverId, std::shared_ptr<dispatch::DriverSession>>::iterator Remove(
      std::map<DriverId, std::shared_ptr<dispatch::DriverSession>>::iterator session);
  void Survey();
  void Handling(const dispatch::Event& event, Time now) override;
  void Decided(const std::vector<dispatch::Decision>& decisions) override {
    checker_.After(decisions);
  }
  void Handled(const dispatch::Event&, std::chrono::nanoseconds) override {}

  void OpenLog();
  void OnLog(const std::shared_ptr<Link>& link, const trip::v1::FollowTripsResponse& message);
  void OnLogEnd(const absl::Status& status);
  void CheckTold(std::uint64_t sequence);
  void OpenLocation();
  void Flush();
  void OpenProgress();
  void FlushProgress();

  /// The planner answers.
  void OnFound(dispatch::Event answer);

  void Do(const dispatch::SendWelcome& decision);
  void Do(const dispatch::Push& decision);
  void Do(const dispatch::EndSession& decision);
  void Do(const dispatch::SetAvailability& decision);
  void Do(const dispatch::FindCandidates& decision);
  void Do(const dispatch::FindRoute& decision);
  void Do(const dispatch::TripCommand& decision);
  void Do(const dispatch::ReportProgress& decision);
  void Do(const dispatch::StepJudged& decision);
  void Do(const dispatch::StreetsDriven&) {}
  void Do(const dispatch::SetSurge& decision);
  void CheckLease(const trip::v1::AssignTripRequest& request);

  Context& context_;
  Host& host_;
  const Neighbours neighbours_;
  dispatch::MarketChecker& checker_;
  const dispatch::SessionConfig session_config_;
  dispatch::OfferTimes offer_times_;
  const dispatch::MarketConfig market_config_;
  SimExecutor market_executor_;
  dispatch::MarketLoop loop_;
  /// Of the events that wait.
  std::size_t surveys_waiting_ = 0;
  const std::shared_ptr<const roads::Streets> streets_ = TownStreets();
  SimExecutor planner_executor_;
  dispatch::Planner planner_;

  std::map<DriverId, Seen> seen_;
  std::map<DriverId, std::shared_ptr<dispatch::DriverSession>> sessions_;
  std::map<std::uint64_t, std::shared_ptr<DriveCall>> streams_;  // By the link's id.
  bool fenced_speaks_ = false;

  dispatch::LogReader log_reader_;
  std::shared_ptr<Link> log_link_;
  std::uint64_t told_ = 0;

  std::shared_ptr<Link> location_link_;
  location::v1::ReportPositionsRequest batch_;
  bool flush_scheduled_ = false;

  std::shared_ptr<Link> progress_link_;
  std::map<std::string, trip::v1::Progress> progress_;  // By trip, the latest.
  bool progress_scheduled_ = false;

  struct LeaseSeen {
    Time expires_at;
    std::optional<Time> accepted_at;
  };
  std::map<std::string, LeaseSeen> leases_;
};

}  // namespace ridestream::sim
