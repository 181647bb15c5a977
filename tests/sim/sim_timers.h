#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <utility>

#include "libs/base/timer_port.h"
#include "tests/sim/context.h"

namespace ridestream::sim {

/// Timers in virtual time. What has not fired when it ends never does. Not thread-safe.
class SimTimers final : public TimerPort {
 public:
  explicit SimTimers(Context& context) : context_(context) {}
  ~SimTimers() override { life_.End(); }

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
  Life life_;
  Handle last_ = 0;
  std::set<Handle> waiting_;
};

}  // namespace ridestream::sim
