#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace ridestream {

/// Work that is done piece by piece, one piece at a time, whenever there is some. Ending it waits
/// for the piece under way; no other begins. Thread-safe; may not be ended
/// from within a piece.
class Worker {
 public:
  /// Does a piece. Returns when to be called next unless woken before, counted from now in wall
  /// time: zero for at once, nullopt for only when woken.
  using Work = std::function<std::optional<std::chrono::nanoseconds>()>;

  virtual ~Worker() = default;
  /// There may be something to do. Wakes during a piece lead to another one.
  virtual void Wake() = 0;
};

/// The port to threads: a simulation does the same work in virtual time.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Begins with a piece at once.
  virtual std::unique_ptr<Worker> Start(Worker::Work work) = 0;
};

/// Gives each worker a thread of its own. Thread-safe.
class ThreadExecutor final : public Executor {
 public:
  std::unique_ptr<Worker> Start(Worker::Work work) override;
};

}  // namespace ridestream
