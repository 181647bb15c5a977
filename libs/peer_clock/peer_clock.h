#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_queue.h"
#include "libs/peer_clock/clock_offset.h"
#include "libs/rpc/caller.h"
#include "ridestream/clock/v1/clock.grpc.pb.h"

namespace ridestream {

/// Compares another service's clock with ours at intervals, so that its times can be translated.
/// Logs "clocks_differ" or "clocks_unusable" when that state begins and once a minute,
/// "clocks_agree" when it ends, and "clock_not_compared" while the peer doesn't answer.
/// Thread-safe.
class PeerClock {
 public:
  struct Options {
    /// The peer's name in log lines, and the name of the flag with its address: "trip".
    std::string peer;
    /// The peer's address, for log lines.
    std::string address;
    /// The identity of this service.
    rpc::Caller self;
    /// A market that the peer serves, if a proxy in between routes by the market; see
    /// rpc::SetMarket.
    std::string market = {};
    /// Wall time from an answer to the next request.
    std::chrono::milliseconds every{5'000};
    /// Wall time to the next request after one without an answer.
    std::chrono::milliseconds retry{500};
  };

  /// References must outlive this object.
  PeerClock(const Clock& clock, TimerQueue& timers,
            std::unique_ptr<clock::v1::ClockService::StubInterface> stub, Options options);
  ~PeerClock() { Stop(); }

  /// Starts comparing. `on_compared` is called, without a lock, after each comparison and when the
  /// peer answers that it has no clock service.
  void Start(std::function<void()> on_compared);
  /// Waits for a running request. Afterwards `on_compared` isn't called any more.
  void Stop();

  /// Add this to a time of the peer to get ours. 0 until the first comparison, and while the clocks
  /// can't be used together.
  Duration to_ours() const;

  /// How far the peer's clock is ahead of ours; nullopt before the first comparison.
  std::optional<Duration> ahead() const;
  ClockVerdict verdict() const;

 private:
  struct Call;

  void SendRequest();
  void OnAnswer(const Call& call, const absl::Status& status);
  void LogVerdict() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void LogFailure(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Returns true once a minute.
  bool IsTimeToLog() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Clock& clock_;
  TimerQueue& timers_;
  const std::unique_ptr<clock::v1::ClockService::StubInterface> stub_;
  const Options options_;
  std::function<void()> on_compared_;  // Set once, before the first call.

  mutable Mutex mu_;
  CondVar changed_;
  ClockOffset offset_ ABSL_GUARDED_BY(mu_);
  bool compared_ ABSL_GUARDED_BY(mu_) = false;
  bool in_flight_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  TimerQueue::Handle next_ ABSL_GUARDED_BY(mu_) = 0;
  ClockVerdict logged_verdict_ ABSL_GUARDED_BY(mu_) = ClockVerdict::kAgree;
  bool logged_failure_ ABSL_GUARDED_BY(mu_) = false;
  std::optional<std::chrono::steady_clock::time_point> logged_at_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream
