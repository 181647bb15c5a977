#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "libs/base/worker.h"
#include "tests/sim/context.h"

namespace ridestream::sim {

/// Runs workers in virtual time. Each turn is a little late, occasionally by seconds, as on a busy
/// machine. Not thread-safe.
class SimExecutor final : public Executor {
 public:
  struct Pace {
    /// Maximum delay of each turn.
    Duration lateness;
    /// Whether some turns are late by seconds.
    bool may_be_slow = false;
  };

  /// The first worker has the pace `first`, all others have `others`. `process`: the life that the
  /// workers belong to.
  SimExecutor(Context& context, const Life& process, Pace first, Pace others)
      : context_(context), process_(process), next_(first), others_(others) {}
  std::unique_ptr<Worker> Start(Worker::Work work) override {
    return std::make_unique<SimWorker>(context_, process_, std::exchange(next_, others_),
                                       std::move(work));
  }

 private:
  class SimWorker final : public Worker {
   public:
    SimWorker(Context& context, const Life& process, Pace pace, Work work)
        : context_(context), pace_(pace), work_(std::move(work)), life_(Life::In(process)) {
      Wake();
    }
    ~SimWorker() override { life_.End(); }

    void Wake() override { RunAt(context_.agenda.now() + Lateness()); }

   private:
    /// Pieces of a turn.
    static constexpr std::uint64_t kMaxPieces = 16;

    Duration Lateness() {
      if (pace_.may_be_slow && context_.faults.Strikes(Fault::kWorkerSlow)) {
        return context_.random.Between(Duration(std::chrono::seconds(1)),
                                       Duration(std::chrono::seconds(20)));
      }
      return context_.random.Between(Duration(0), pace_.lateness);
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
              context_.random.Between(Duration(0), pace_.lateness));
      }
    }

    Context& context_;
    const Pace pace_;
    const Work work_;
    Life life_;
    Time run_at_ = Time::max();
  };

  Context& context_;
  const Life& process_;
  Pace next_;
  const Pace others_;
};

}  // namespace ridestream::sim
