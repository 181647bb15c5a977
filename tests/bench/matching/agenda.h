#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "libs/base/clock.h"

namespace ridestream::bench {

/// Scheduled tasks in virtual time, ordered by time and then by the order of scheduling. Not
/// thread-safe.
class Agenda {
 public:
  explicit Agenda(Time begin) : now_(begin) {}

  void At(Time when, std::function<void()> what) {
    items_.emplace(std::pair(std::max(when, now_), ++last_), std::move(what));
  }
  Time now() const { return now_; }

  /// Runs the next task; false if there is none.
  bool DoNext() {
    if (items_.empty()) return false;
    const auto first = items_.begin();
    now_ = first->first.first;
    const std::function<void()> what = std::move(first->second);
    items_.erase(first);
    what();
    return true;
  }

 private:
  Time now_;
  std::uint64_t last_ = 0;
  std::map<std::pair<Time, std::uint64_t>, std::function<void()>> items_;
};

}  // namespace ridestream::bench
