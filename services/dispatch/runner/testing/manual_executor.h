#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "libs/base/clock.h"
#include "libs/base/worker.h"

namespace ridestream::dispatch {

/// Stands still until it is advanced, and a wait lasts as long as it says.
class StillClock final : public Clock {
 public:
  Time Now() const override { return now_; }
  std::chrono::nanoseconds ToWall(Duration d) const override { return d; }
  void Advance(Duration d) { now_ += d; }

 private:
  Time now_ = ScaledClock::kAnchor;
};

/// Has one worker, which does its pieces when the test says so. Not thread-safe.
class ManualExecutor final : public Executor {
 public:
  std::unique_ptr<Worker> Start(Worker::Work work) override {
    work_ = std::move(work);
    return std::make_unique<ManualWorker>(wakes_);
  }

  /// Does a piece; its answer is the work's.
  std::optional<std::chrono::nanoseconds> RunOnce() { return work_(); }
  /// Until there is nothing to do at once.
  void RunAll() {
    while (true) {
      const auto pause = work_();
      if (!pause || pause->count() > 0) return;
    }
  }
  /// How often the worker was woken.
  int wakes() const { return wakes_; }

 private:
  class ManualWorker final : public Worker {
   public:
    explicit ManualWorker(int& wakes) : wakes_(wakes) {}
    void Wake() override { ++wakes_; }

   private:
    int& wakes_;
  };
  Worker::Work work_;
  int wakes_ = 0;
};

}  // namespace ridestream::dispatch
