#include "services/dispatch/runner/lease_keeper.h"

#include <algorithm>
#include <utility>

#include "libs/proto_values/proto_values.h"
#include "libs/service/service.h"

namespace ridestream::dispatch {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

}  // namespace

void LeaseKeeper::Start(const std::string& address) {
  MutexLock lock(mu_);
  if (state_ != State::kIdle) return;
  state_ = State::kWaiting;
  address_ = address;
  ScheduleCall(nanoseconds(0));
}

void LeaseKeeper::ScheduleCall(nanoseconds pause) {
  timer_ = options_.timers.After(pause, [this] { CallTrip(); });
}

void LeaseKeeper::CallTrip() {
  State state = State::kStopped;
  std::string address;
  std::uint64_t term = 0;
  {
    MutexLock lock(mu_);
    timer_ = 0;
    state = state_;
    address = address_;
    term = lease_.term();
  }
  if (state == State::kWaiting) {
    Acquire(address);
  } else if (state == State::kHeld) {
    Renew(term);
  }
}

void LeaseKeeper::Acquire(const std::string& address) {
  trip::v1::AcquireLeaseRequest request;
  request.set_market(options_.market);
  request.set_holder(options_.holder);
  request.set_address(address);
  *request.mutable_duration() = ToProto(duration_cast<Duration>(options_.lasts));
  options_.trip.Acquire(std::move(request), {timeout()},
                        [this, sent_at = options_.time.SteadyNs()](const auto& answer) {
                          OnAcquired(sent_at, answer);
                        });
}

void LeaseKeeper::Renew(std::uint64_t term) {
  trip::v1::RenewLeaseRequest request;
  request.set_market(options_.market);
  request.set_holder(options_.holder);
  request.set_term(term);
  *request.mutable_duration() = ToProto(duration_cast<Duration>(options_.lasts));
  options_.trip.Renew(std::move(request), {timeout()},
                      [this, sent_at = options_.time.SteadyNs()](const auto& answer) {
                        OnRenewed(sent_at, answer);
                      });
}

void LeaseKeeper::ActUntilMarginAfter(std::int64_t sent_at) {
  act_until_ = std::max(act_until_, sent_at + nanoseconds(3 * quarter()).count());
}

void LeaseKeeper::OnAcquired(std::int64_t sent_at,
                             const absl::StatusOr<trip::v1::AcquireLeaseResponse>& answer) {
  trip::v1::Lease lease;
  {
    MutexLock lock(mu_);
    if (state_ != State::kWaiting) return;
    if (!answer.ok()) {
      NoteFailure(answer.status());
      return ScheduleCall(quarter());
    }
    failures_ = 0;
    lease = lease_ = answer->lease();
    if (answer->acquired()) {
      state_ = State::kHeld;
      ActUntilMarginAfter(sent_at);
      ScheduleCall(quarter());
    } else {
      // Soon after the lease ends, and in between, since it may be released.
      ScheduleCall(std::min<nanoseconds>(FromProto(lease.ends_in()) + milliseconds(1), quarter()));
      if (std::exchange(logged_holder_, true)) return;
    }
  }
  service::Log(service::Level::kInfo,
               answer->acquired() ? "lease_acquired" : "lease_held_elsewhere",
               {{"market", lease.market()},
                {"holder", lease.holder()},
                {"address", lease.address()},
                {"term", std::to_string(lease.term())}});
  if (answer->acquired()) {
    options_.on_held(lease);
  } else if (options_.on_standby) {
    options_.on_standby(lease);
  }
}

void LeaseKeeper::OnRenewed(std::int64_t sent_at,
                            const absl::StatusOr<trip::v1::RenewLeaseResponse>& answer) {
  trip::v1::Lease lease;
  {
    MutexLock lock(mu_);
    if (state_ != State::kHeld) return;
    if (!answer.ok()) {
      NoteFailure(answer.status());
      return ScheduleCall(quarter() / 4);
    }
    failures_ = 0;
    if (answer->renewed()) {
      ActUntilMarginAfter(sent_at);
      return ScheduleCall(quarter());
    }
    state_ = State::kLost;
    lease = lease_ = answer->lease();
  }
  service::Log(service::Level::kError, "lease_lost",
               {{"market", options_.market},
                {"holder", lease.holder()},
                {"address", lease.address()},
                {"term", std::to_string(lease.term())}});
  options_.on_lost(lease);
}

void LeaseKeeper::NoteFailure(const absl::Status& status) {
  if (failures_++ > 0) return;
  service::Log(service::Level::kWarning, "lease_not_answered",
               {{"market", options_.market}, {"error", status.ToString()}});
}

bool LeaseKeeper::End() {
  TimerPort::Handle timer = 0;
  State before = State::kStopped;
  {
    MutexLock lock(mu_);
    before = state_;
    if (before != State::kLost) state_ = State::kStopped;
    timer = std::exchange(timer_, 0);
  }
  options_.timers.Cancel(timer);
  return before == State::kHeld;
}

void LeaseKeeper::Release() {
  if (!End()) return;
  trip::v1::ReleaseLeaseRequest request;
  request.set_market(options_.market);
  request.set_holder(options_.holder);
  request.set_term(last_lease().term());
  options_.trip.Release(std::move(request), {timeout()}, [](const auto&) {});
}

void LeaseKeeper::Stop() { (void)End(); }

std::optional<std::uint64_t> LeaseKeeper::TermToActIn() const {
  MutexLock lock(mu_);
  if (state_ != State::kHeld || options_.time.SteadyNs() >= act_until_) return std::nullopt;
  return lease_.term();
}

void LeaseKeeper::OnTermRefused() {
  MutexLock lock(mu_);
  // Until the trip service has said who holds it.
  act_until_ = 0;
}

bool LeaseKeeper::held() const {
  MutexLock lock(mu_);
  return state_ == State::kHeld;
}

trip::v1::Lease LeaseKeeper::last_lease() const {
  MutexLock lock(mu_);
  return lease_;
}

}  // namespace ridestream::dispatch
