#include "tests/bench/peers/peer.h"

#include <thread>
#include <utility>

namespace ridestream::bench {

using SteadyClock = std::chrono::steady_clock;

Caller Repeat(std::size_t items, std::function<absl::Status()> call) {
  return [items,
          call = std::move(call)](SteadyClock::time_point until) -> absl::StatusOr<std::size_t> {
    std::size_t carried = 0;
    while (SteadyClock::now() < until) {
      if (absl::Status status = call(); !status.ok()) return status;
      carried += items;
    }
    return carried;
  };
}

absl::StatusOr<Measured> MeasureRate(const std::vector<Caller>& callers,
                                     std::chrono::seconds length) {
  std::vector<absl::StatusOr<std::size_t>> carried(callers.size(), std::size_t{0});
  const auto start = SteadyClock::now();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < callers.size(); ++i) {
    threads.emplace_back([&, i] { carried[i] = callers[i](start + length); });
  }
  for (std::thread& thread : threads) thread.join();
  Measured all{.seconds = std::chrono::duration<double>(SteadyClock::now() - start).count()};
  for (const auto& of_caller : carried) {
    if (!of_caller.ok()) return of_caller.status();
    all.items += static_cast<double>(*of_caller);
  }
  return all;
}

}  // namespace ridestream::bench
