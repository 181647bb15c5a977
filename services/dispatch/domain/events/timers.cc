#include "services/dispatch/domain/events/timers.h"

namespace ridestream::dispatch {

void Timers::Set(const Timer& timer, Time at) {
  const auto [it, added] = at_.try_emplace(timer, at);
  if (!added) {
    if (it->second == at) return;
    order_.erase({it->second, timer});
    it->second = at;
  }
  order_.emplace(at, timer);
}

void Timers::Cancel(const Timer& timer) {
  const auto it = at_.find(timer);
  if (it == at_.end()) return;
  order_.erase({it->second, timer});
  at_.erase(it);
}

std::optional<Timer> Timers::PopDue(Time now) {
  if (order_.empty() || order_.begin()->first > now) return std::nullopt;
  Timer timer = order_.begin()->second;
  order_.erase(order_.begin());
  at_.erase(timer);
  return timer;
}

std::optional<Time> Timers::Next() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->first;
}

}  // namespace ridestream::dispatch
