#include "libs/peer_clock/peer_clock.h"

#include <fmt/format.h>

#include <utility>

#include "libs/proto_values/proto_values.h"
#include "libs/rpc/call_span.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/market.h"
#include "libs/rpc/status.h"
#include "libs/service/peer_advice.h"
#include "libs/service/service.h"

namespace ridestream {
namespace {

constexpr std::chrono::milliseconds kAnswerTimeout{1'000};
constexpr std::chrono::steady_clock::duration kLogEvery = std::chrono::minutes(1);

std::string Seconds(Duration duration) {
  return fmt::format("{:.3f}", std::chrono::duration<double>(duration).count());
}

}  // namespace

struct PeerClock::Call {
  grpc::ClientContext context;
  clock::v1::GetTimeRequest request;
  clock::v1::GetTimeResponse response;
  tracing::Span span;
  Time asked_at;
  Time answered_at;
};

PeerClock::PeerClock(const Clock& clock, TimerQueue& timers,
                     std::unique_ptr<clock::v1::ClockService::StubInterface> stub, Options options)
    : clock_(clock),
      timers_(timers),
      stub_(std::move(stub)),
      options_(std::move(options)),
      offset_(clock.rate()) {}

void PeerClock::Start(std::function<void()> on_compared) {
  on_compared_ = std::move(on_compared);
  SendRequest();
}

void PeerClock::Stop() {
  TimerQueue::Handle next = 0;
  {
    MutexLock lock(mu_);
    stopping_ = true;
    next = next_;
  }
  timers_.Cancel(next);
  MutexLock lock(mu_);
  while (in_flight_) changed_.Wait(mu_);
}

std::optional<Duration> PeerClock::ahead() const {
  MutexLock lock(mu_);
  return compared_ ? std::optional(offset_.ahead()) : std::nullopt;
}

ClockVerdict PeerClock::verdict() const {
  MutexLock lock(mu_);
  return offset_.verdict();
}

Duration PeerClock::to_ours() const {
  MutexLock lock(mu_);
  return offset_.verdict() == ClockVerdict::kUnusable ? Duration::zero() : -offset_.ahead();
}

void PeerClock::SendRequest() {
  {
    MutexLock lock(mu_);
    if (stopping_) return;
    in_flight_ = true;
  }
  auto call = std::make_shared<Call>();
  rpc::SetCaller(call->context, options_.self);
  rpc::SetMarket(call->context, options_.market);
  rpc::SetTimeout(call->context, kAnswerTimeout);
  call->span = rpc::StartClientSpan(call->context, call->request);
  call->asked_at = clock_.Now();
  stub_->async()->GetTime(&call->context, &call->request, &call->response,
                          [this, call](const grpc::Status& status) {
                            call->answered_at = clock_.Now();
                            rpc::EndClientSpan(call->span, status);
                            OnAnswer(*call, rpc::FromGrpcStatus(status));
                          });
}

void PeerClock::OnAnswer(const Call& call, const absl::Status& status) {
  bool compared = false;
  {
    MutexLock lock(mu_);
    if (status.ok()) {
      offset_.Add({call.asked_at, call.answered_at, FromProto(call.response.now()),
                   call.response.clock_rate()});
      compared_ = true;
      LogVerdict();
    } else {
      LogFailure(status);
    }
    compared = status.ok() || absl::IsUnimplemented(status);
    if (stopping_) compared = false;
  }
  if (compared && on_compared_) on_compared_();
  MutexLock lock(mu_);
  in_flight_ = false;
  if (!stopping_) {
    next_ = timers_.After(status.ok() ? options_.every : options_.retry, [this] { SendRequest(); });
  }
  changed_.SignalAll();
}

bool PeerClock::IsTimeToLog() {
  const auto now = std::chrono::steady_clock::now();
  if (logged_at_ && now - *logged_at_ < kLogEvery) return false;
  logged_at_ = now;
  return true;
}

void PeerClock::LogVerdict() {
  logged_failure_ = false;
  const ClockVerdict verdict = offset_.verdict();
  if (std::exchange(logged_verdict_, verdict) != verdict) {
    logged_at_.reset();
  } else if (verdict == ClockVerdict::kAgree) {
    return;
  }
  if (!IsTimeToLog()) return;
  const service::Level level = verdict == ClockVerdict::kAgree    ? service::Level::kInfo
                               : verdict == ClockVerdict::kDiffer ? service::Level::kWarning
                                                                  : service::Level::kError;
  service::Log(level, fmt::format("clocks_{}", ToString(verdict)),
               {{"peer", options_.peer},
                {"ahead_s", Seconds(offset_.ahead())},
                {"clock_rate", fmt::format("{:.6g}", clock_.rate())},
                {"peer_clock_rate", fmt::format("{:.6g}", offset_.peer_rate())}});
}

void PeerClock::LogFailure(const absl::Status& status) {
  if (!std::exchange(logged_failure_, true)) logged_at_.reset();
  if (!IsTimeToLog()) return;
  service::Log(service::Level::kWarning, "clock_not_compared",
               {{"peer", options_.peer},
                {"error", status.ToString()},
                {"advice", service::AdviceOn(status, options_.peer, options_.address)}});
}

}  // namespace ridestream
