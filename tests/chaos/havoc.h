#pragma once

#include <array>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/mutex.h"
#include "tests/chaos/gated_system.h"
#include "tests/chaos/recovery.h"
#include "tests/chaos/schedule.h"

namespace ridestream::chaos {

/// Carries out a schedule's events on a system, each on its own thread because some last. Begin
/// must be called by one thread.
class Havoc {
 public:
  /// `system` must outlive it. `on_event` is called with each event when it starts, on its thread.
  Havoc(GatedSystem& system, std::function<void(const Event&)> on_event)
      : system_(system), on_event_(std::move(on_event)) {}
  ~Havoc() { Wait(); }

  void Begin(const Event& event);
  /// Waits until all begun events are over.
  void Wait();

  /// In the order in which they ended.
  std::vector<Occurrence> occurrences() const;
  /// Failures of services that didn't end or come back as they should.
  std::vector<absl::Status> failures() const;

 private:
  void Run(const Event& event);
  absl::Status Hurt(const Event& event);
  absl::Status HurtService(Service service, const Event& event);
  absl::Status HurtLink(Link link, const Event& event);

  GatedSystem& system_;
  const std::function<void(const Event&)> on_event_;
  std::vector<std::thread> threads_;
  // A target has one event at a time; the next event waits until the target is back. Taken before
  // mu_.
  std::array<Mutex, kTargets> busy_;
  mutable Mutex mu_;
  std::vector<Occurrence> occurrences_ ABSL_GUARDED_BY(mu_);
  std::vector<absl::Status> failures_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::chaos
