#include "services/dispatch/runner/market_loop.h"

#include <algorithm>
#include <utility>

namespace ridestream::dispatch {

MarketLoop::MarketLoop(const MarketConfig& config, const Clock& clock, Executor& executor,
                       Observer& observer, CarryOut carry_out, std::size_t max_waiting_events)
    : clock_(clock),
      executor_(executor),
      observer_(observer),
      carry_out_(std::move(carry_out)),
      market_(config),
      queue_(max_waiting_events) {}

void MarketLoop::Start() {
  worker_ = executor_.Start([this] { return Work(); });
  queue_.WakeFor(*worker_);
}

void MarketLoop::Stop() {
  queue_.Close();
  worker_.reset();
}

std::optional<std::chrono::nanoseconds> MarketLoop::Work() {
  for (const Event& event : queue_.TakeAll()) {
    HandleDueTimers();
    Handle(event);
  }
  HandleDueTimers();
  eta_corrections_ = market_.eta_corrections();
  promises_broken_ = market_.promises_broken();
  rounds_out_of_time_ = market_.rounds_out_of_time();
  const std::optional<Time> wake = market_.NextWake();
  if (!wake) return std::nullopt;
  return clock_.ToWall(std::max(Duration(0), Duration(*wake - clock_.Now())));
}

void MarketLoop::HandleDueTimers() {
  const std::optional<Time> wake = market_.NextWake();
  if (wake && *wake <= clock_.Now()) Handle(Wake{});
}

void MarketLoop::Handle(const Event& event) {
  const auto began = std::chrono::steady_clock::now();
  const Time now = clock_.Now();
  observer_.Handling(event, now);
  std::vector<Decision> decisions = market_.Handle(event, now);
  observer_.Decided(decisions);
  for (Decision& decision : decisions) carry_out_(std::move(decision));
  observer_.Handled(event, std::chrono::steady_clock::now() - began);
}

}  // namespace ridestream::dispatch
