#include "libs/base/worker.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "libs/base/mutex.h"

namespace ridestream {
namespace {

class ThreadWorker final : public Worker {
 public:
  explicit ThreadWorker(Work work) : work_(std::move(work)), thread_([this] { Run(); }) {}
  ~ThreadWorker() override {
    {
      MutexLock lock(mu_);
      stopping_ = true;
      changed_.Signal();
    }
    thread_.join();
  }

  void Wake() override {
    MutexLock lock(mu_);
    woken_ = true;
    changed_.Signal();
  }

 private:
  using Clock = std::chrono::steady_clock;

  void Run() {
    std::optional<std::chrono::nanoseconds> pause(0);
    while (WaitFor(pause)) pause = work_();
  }

  /// Waits until woken or for `pause`. Returns false when stopping.
  bool WaitFor(std::optional<std::chrono::nanoseconds> pause) {
    // Longer than any process lives, and far from overflow.
    constexpr std::chrono::nanoseconds kForever = std::chrono::hours(24 * 365);
    MutexLock lock(mu_);
    const auto end = Clock::now() + std::min(pause.value_or(kForever), kForever);
    while (!woken_ && !stopping_) {
      const auto left = end - Clock::now();
      if (left <= left.zero() || !changed_.WaitFor(mu_, left)) break;
    }
    woken_ = false;
    return !stopping_;
  }

  const Work work_;
  Mutex mu_;
  CondVar changed_;
  bool woken_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Worker> ThreadExecutor::Start(Worker::Work work) {
  return std::make_unique<ThreadWorker>(std::move(work));
}

}  // namespace ridestream
