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

#include "libs/base/system_time.h"
#include "services/dispatch/domain/market/testing/market_checker.h"
#include "services/dispatch/drive/session_registry.h"
#include "services/dispatch/runner/lease_keeper.h"
#include "services/dispatch/runner/market_runner.h"
#include "services/dispatch/runner/progress_reporter.h"
#include "tests/sim/dispatch_peers.h"
#include "tests/sim/drive_link.h"
#include "tests/sim/link.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_timers.h"

namespace ridestream::sim {

/// A life of the dispatch service: its session registry, its market's runner and its progress
/// reporter over simulated ports, with checks of what passes between them. Not thread-safe.
class DispatchProcess final : public dispatch::EventSink, public dispatch::PositionSink {
 public:
  static constexpr std::size_t kMaxSessions = 1'000;

  struct Options {
    /// Called when another process has taken the market's lease.
    std::function<void()> on_lease_lost;
    /// See RegistryConfig.
    std::size_t max_sessions = kMaxSessions;
    /// See EventQueue.
    std::size_t max_waiting_events = dispatch::EventQueue::kMax;
    /// Folder for a record of the life's market; empty records nothing.
    std::string record = {};
  };

  DispatchProcess(Context& context, Host& host, const Neighbours& neighbours,
                  dispatch::MarketChecker& checker, const Options& options);
  ~DispatchProcess() override;

  /// A driver opens a stream; its messages arrive at OnDriverMessage.
  void Drive(std::shared_ptr<Link> link, const DriverId& driver, DriveLink::Deliver deliver);
  void OnDriverMessage(const Link& link, const dispatch::v1::DriveRequest& request);
  /// Accepts no more streams, and sends the drivers away.
  void Drain() { registry_.Drain(lost_to_); }
  /// The drain is over: releases the lease.
  void ReleaseLease() { keeper_.Release(); }
  /// Whether it has the lease, as far as it knows.
  bool leads() const { return keeper_.held(); }

  // For DriveLink.

  void Forget(const DriveLink& link);
  const Life& life() const { return host_.life(); }
  /// While it exists, a driver's events are attributed to this message on this stream, of that
  /// epoch.
  class Speaker {
   public:
    Speaker(DispatchProcess& process, DriveLink& link, std::uint64_t epoch,
            const dispatch::v1::DriveRequest& request);
    ~Speaker();
    Speaker(const Speaker&) = delete;
    Speaker& operator=(const Speaker&) = delete;

   private:
    friend class DispatchProcess;

    DispatchProcess& process_;
    DriveLink& link_;
    const dispatch::v1::DriveRequest& request_;
    const bool could_resume_;
    bool is_fenced_ = false;
    std::optional<bool> resumed_;  // Set once the market has received the Hello.
  };

  bool Post(dispatch::Event event) override;
  void PostAlways(dispatch::Event event) override;
  void Add(absl::FunctionRef<void(location::v1::PositionReport&)> fill) override;

  std::size_t streams() const { return registry_.streams(); }
  bool is_limited() const { return options_.max_sessions < kMaxSessions; }
  std::size_t events_waiting() const { return runner_.events().size(); }

 private:
  /// Observations of a driver's sessions.
  struct Seen {
    std::uint64_t newest_epoch = 0;
    SessionId session;
    bool voided = false;
    std::uint64_t acked = 0;
  };

  std::uint64_t NewestEpochOf(const DriverId& driver) const;
  /// Whether the session that the Hello names is one that this process holds and hasn't voided, and
  /// the Hello isn't one that was overtaken: a driver who has acked more on a newer stream.
  bool CouldResume(const DriverId& driver, const dispatch::v1::DriveRequest& request) const;
  void CheckMaySpeak();
  /// A session's events for the market.
  void Note(const dispatch::Event& event);
  void NoteHello(const Speaker& speaker);
  /// Called when the driver's streams that are older than this one have had time to end.
  void CheckFenced(const DriverId& driver, std::uint64_t epoch) const;
  void CheckFencedLater(const DriverId& driver, std::uint64_t epoch);
  void NoteVoided();

  // Observes the market.
  class Onlooker;
  void Handling(const dispatch::Event& event, Time now);
  void Decided(const std::vector<dispatch::Decision>& decisions);
  void Judge(const dispatch::StepJudged& step);
  void CheckLease(const dispatch::TripRequest& request) const;
  void LogTaken(const trip::v1::FollowTripsResponse& message);
  void CheckSequence(std::uint64_t sequence);

  /// The steady clock of the process's machine.
  class SteadyClock final : public TimeSource {
   public:
    explicit SteadyClock(const Agenda& agenda) : agenda_(agenda) {}
    SystemTime System() const override { return agenda_.now(); }
    std::int64_t SteadyNs() const override {
      return std::chrono::nanoseconds(agenda_.now().time_since_epoch()).count();
    }

   private:
    const Agenda& agenda_;
  };

  absl::StatusOr<dispatch::SessionRegistry::MarketPorts> FindMarket();
  std::unique_ptr<dispatch::MarketRunner::Observer> MakeObserver();

  Context& context_;
  Host& host_;
  const Options options_;
  dispatch::MarketChecker& checker_;
  bool is_dead_ = false;
  std::string lost_to_;

  const SteadyClock steady_clock_{context_.agenda};
  SimTimers timers_;
  SimLeases leases_port_;
  dispatch::LeaseKeeper keeper_;
  SimExecutor executor_;
  dispatch::ProgressReporter progress_;
  dispatch::SessionRegistry registry_;
  const dispatch::MarketRunner::Config runner_config_;
  dispatch::MarketRunner runner_;
  std::map<std::uint64_t, std::shared_ptr<DriveLink>> links_;  // By the link's id.

  std::map<DriverId, Seen> seen_;
  Speaker* speaker_ = nullptr;
  std::vector<DriverId> pushed_to_;  // By the event that is being handled.
  std::uint64_t voided_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t refused_events_ = 0;

  struct LeaseSeen {
    Time expires_at;
    std::optional<Time> accepted_at;
  };
  std::map<std::string, LeaseSeen> leases_;
};

}  // namespace ridestream::sim
