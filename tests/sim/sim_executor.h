#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "libs/base/worker.h"
#include "tests/sim/context.h"

namespace ridestream::sim {

/// Does workers' pieces in virtual time. Each turn comes a little late, now and then by seconds, as
/// on a busy machine. Must outlive its workers. Not thread-safe.
class SimExecutor final : public Executor {
 public:
  /// Each turn comes up to `lateness` late.
  SimExecutor(Context& context, Duration lateness, bool may_be_slow)
      : context_(context), lateness_(lateness), may_be_slow_(may_be_slow) {}
  std::unique_ptr<Worker> Start(Worker::Work work) override {
    return std::make_unique<SimWorker>(*this, std::move(work));
  }

 private:
  class SimWorker final : public Worker {
   public:
    SimWorker(SimExecutor& executor, Work work)
        : executor_(executor), context_(executor.context_), work_(std::move(work)) {
      Wake();
    }
    ~SimWorker() override { life_.End(); }

    void Wake() override { RunAt(context_.agenda.now() + Lateness()); }

   private:
    /// Pieces of a turn.
    static constexpr std::uint64_t kMaxPieces = 16;

    Duration Lateness() {
      if (executor_.may_be_slow_ && context_.faults.Strikes(Fault::kWorkerSlow)) {
        return context_.random.Between(Duration(std::chrono::seconds(1)),
                                       Duration(std::chrono::seconds(20)));
      }
      return context_.random.Between(Duration(0), executor_.lateness_);
    }

    void RunAt(Time at) {
      if (at >= run_at_) return;
      run_at_ = at;
      context_.agenda.At(at, life_, [this, at] {
        if (at == run_at_) Run();
      });
    }

    void Run() {
      run_at_ = Time::max();
      std::optional<std::chrono::nanoseconds> pause;
      std::uint64_t pieces = 1 + context_.random.Below(kMaxPieces);
      do {
        pause = work_();
      } while (pause && pause->count() == 0 && --pieces > 0);
      if (pause) {
        RunAt(context_.agenda.now() + std::chrono::ceil<Duration>(*pause) +
              context_.random.Between(Duration(0), executor_.lateness_));
      }
    }

    SimExecutor& executor_;
    Context& context_;
    const Work work_;
    Life life_;
    Time run_at_ = Time::max();
  };

  Context& context_;
  const Duration lateness_;
  const bool may_be_slow_;
};

}  // namespace ridestream::sim
