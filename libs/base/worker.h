#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace ridestream {

/// Runs work piece by piece, one piece at a time, when there is some to do. The destructor waits
/// for the running piece, and starts no other. Thread-safe; must not be destroyed from within a
/// piece.
class Worker {
 public:
  /// Runs one piece. Returns the wall time until the next call unless woken before: zero for at
  /// once, nullopt for only when woken.
  using Work = std::function<std::optional<std::chrono::nanoseconds>()>;

  virtual ~Worker() = default;
  /// Signals that there may be work. A wake-up during a piece leads to another piece.
  virtual void Wake() = 0;
};

/// A port to threads. A simulation runs the same work in virtual time.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Starts a worker; its first piece runs at once.
  virtual std::unique_ptr<Worker> Start(Worker::Work work) = 0;
};

/// Gives each worker a thread of its own. Thread-safe.
class ThreadExecutor final : public Executor {
 public:
  std::unique_ptr<Worker> Start(Worker::Work work) override;
};

}  // namespace ridestream
