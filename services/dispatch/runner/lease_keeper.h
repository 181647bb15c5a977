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

/// Acquires and keeps the lease of one market: waits while another process holds it, renews it four
/// times within its duration, and detects when another process has acquired it. In that case this
/// process's state is outdated and it must be restarted. A lease that couldn't be renewed in time
/// is kept in its term if no other process has acquired it. Until this is known, the process
/// doesn't act. Thread-safe.
class LeaseKeeper final : public MarketLease {
 public:
  /// The objects that the arguments refer to must outlive this one.
  struct Options {
    std::string market;
    /// Id of this process, different with every start.
    std::string holder;
    LeasePort& trip;
    TimerPort& timers;
    const TimeSource& time = TimeSource::Machine();
    /// How long the lease lasts unless it is renewed: 100 ms to 60 s of wall-clock time. The holder
    /// stops acting a quarter of this earlier, on the steady clock, counted from when it sent the
    /// call.
    std::chrono::milliseconds lasts{2'000};
    /// Called once, when the lease is acquired. Must neither block nor call back.
    std::function<void(const trip::v1::Lease&)> on_held;
    /// Called once, with the new holder, when another process has acquired the lease.
    std::function<void(const trip::v1::Lease&)> on_lost;
    /// Called once, with the holder, when the first answer shows that another process has the
    /// lease.
    std::function<void(const trip::v1::Lease&)> on_standby = nullptr;
  };

  explicit LeaseKeeper(Options options) : options_(std::move(options)) {}
  ~LeaseKeeper() override { Stop(); }

  /// Starts to acquire. `address`: where drivers reach this process.
  void Start(const std::string& address);
  /// Releases the lease if it is held, and makes no further calls. The call ends with the port.
  void Release();
  /// Makes no further calls. The lease expires.
  void Stop();

  std::optional<std::uint64_t> TermToActIn() const override;
  void OnTermRefused() override;
  /// Whether this process holds the lease, as far as it knows. It may be unable to act at the
  /// moment.
  bool held() const;
  /// The lease in the trip service's last answer, possibly of another process. Without a holder
  /// before the first answer.
  trip::v1::Lease last_lease() const;

 private:
  enum class State { kIdle, kWaiting, kHeld, kLost, kStopped };

  /// Called by the timer: makes one call to the trip service.
  void CallTrip();
  void Acquire(const std::string& address);
  void Renew(std::uint64_t term);
  void OnAcquired(std::int64_t sent_at,
                  const absl::StatusOr<trip::v1::AcquireLeaseResponse>& answer);
  void OnRenewed(std::int64_t sent_at, const absl::StatusOr<trip::v1::RenewLeaseResponse>& answer);
  void NoteFailure(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ScheduleCall(std::chrono::nanoseconds pause) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ActUntilMarginAfter(std::int64_t sent_at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::chrono::nanoseconds quarter() const { return options_.lasts / 4; }
  std::chrono::milliseconds timeout() const { return options_.lasts / 2; }
  /// Cancels the timer. Returns whether the lease was held.
  bool End();

  const Options options_;
  mutable Mutex mu_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kIdle;
  std::string address_ ABSL_GUARDED_BY(mu_);
  trip::v1::Lease lease_ ABSL_GUARDED_BY(mu_);
  std::int64_t act_until_ ABSL_GUARDED_BY(mu_) = 0;  // By the steady clock.
  bool logged_holder_ ABSL_GUARDED_BY(mu_) = false;  // Since the lease is held elsewhere.
  int failures_ ABSL_GUARDED_BY(mu_) = 0;            // In a row.
  TimerPort::Handle timer_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace ridestream::dispatch
