#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "libs/base/mutex.h"
#include "libs/base/system_time.h"
#include "libs/base/timer_port.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/dispatch/runner/lease_port.h"
#include "services/dispatch/runner/market_lease.h"

namespace ridestream::dispatch {

/// Gets the lease of one market and keeps it: waits while another process holds it, renews it four
/// times within the time it lasts, and learns when it has gone to another, for good: then this
/// process knows nothing that counts any more, and has to be restarted. A lease that couldn't be
/// renewed in time is kept in its term if nobody has taken it; until that is known, the process
/// doesn't act. Thread-safe.
class LeaseKeeper final : public MarketLease {
 public:
  /// What it refers to must outlive it.
  struct Options {
    std::string market;
    /// The id of this process, which no other start of it has.
    std::string holder;
    LeasePort& trip;
    TimerPort& timers;
    const TimeSource& time = TimeSource::Machine();
    /// How long the lease lasts if it isn't renewed: 100 ms to 60 s of wall-clock time. The holder
    /// stops acting a quarter of it earlier, by the steady clock, counted from when it sent the
    /// call.
    std::chrono::milliseconds lasts{2'000};
    /// Told once, when it has the lease. Must not block, nor call back.
    std::function<void(const trip::v1::Lease&)> on_held;
    /// Told once, with who has it now, when another process has taken the lease.
    std::function<void(const trip::v1::Lease&)> on_lost;
    /// Called once, with the holder, when the first answer shows that another process has the
    /// lease.
    std::function<void(const trip::v1::Lease&)> on_standby = nullptr;
  };

  explicit LeaseKeeper(Options options) : options_(std::move(options)) {}
  ~LeaseKeeper() override { Stop(); }

  /// Starts to acquire. `address`: where drivers reach this process.
  void Start(const std::string& address);
  /// Gives the lease up if it is held, and asks for nothing any more. The call ends with the port.
  void Release();
  /// Asks for nothing any more. The lease ends by itself.
  void Stop();

  std::optional<std::uint64_t> TermToActIn() const override;
  void OnTermRefused() override;
  /// Whether it has the lease, as far as it knows; perhaps it may not act just now.
  bool held() const;
  /// The lease as trip told it last, also of another process; without a holder before the first
  /// answer.
  trip::v1::Lease last_told() const;

 private:
  enum class State { kIdle, kWaiting, kHeld, kLost, kStopped };

  /// The timer's function: asks trip once.
  void Ask();
  void Acquire(const std::string& address);
  void Renew(std::uint64_t term);
  void OnAcquired(std::int64_t sent_at,
                  const absl::StatusOr<trip::v1::AcquireLeaseResponse>& answer);
  void OnRenewed(std::int64_t sent_at, const absl::StatusOr<trip::v1::RenewLeaseResponse>& answer);
  void NoteFailure(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AskAfter(std::chrono::nanoseconds pause) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ActUntilMarginAfter(std::int64_t sent_at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::chrono::nanoseconds quarter() const { return options_.lasts / 4; }
  std::chrono::milliseconds timeout() const { return options_.lasts / 2; }
  /// Ends what is planned. Whether the lease was held.
  bool End();

  const Options options_;
  mutable Mutex mu_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kIdle;
  std::string address_ ABSL_GUARDED_BY(mu_);
  trip::v1::Lease lease_ ABSL_GUARDED_BY(mu_);
  std::int64_t act_until_ ABSL_GUARDED_BY(mu_) = 0;  // By the steady clock.
  bool was_told_ ABSL_GUARDED_BY(mu_) = false;       // Who else has it.
  int failures_ ABSL_GUARDED_BY(mu_) = 0;            // In a row.
  TimerPort::Handle timer_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::dispatch
