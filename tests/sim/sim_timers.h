#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <utility>

#include "libs/base/timer_port.h"
#include "tests/sim/context.h"

namespace ridestream::sim {

/// Timers of a process in virtual time. Timers that haven't fired when its life ends never fire.
/// Not thread-safe.
class SimTimers final : public TimerPort {
 public:
  SimTimers(Context& context, LifeWatch life) : context_(context), life_(std::move(life)) {}

  Handle After(std::chrono::nanoseconds delay, std::function<void()> fire) override {
    const Handle handle = ++last_;
    waiting_.insert(handle);
    context_.agenda.After(std::chrono::ceil<Duration>(delay), life_,
                          [this, handle, fire = std::move(fire)] {
                            if (waiting_.erase(handle) > 0) fire();
                          });
    return handle;
  }
  void Cancel(Handle handle) override { waiting_.erase(handle); }

 private:
  Context& context_;
  const LifeWatch life_;
  Handle last_ = 0;
  std::set<Handle> waiting_;
};

}  // namespace ridestream::sim
