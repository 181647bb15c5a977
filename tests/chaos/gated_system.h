#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/process/child_process.h"
#include "libs/process/temporary_folder.h"
#include "tests/chaos/gate.h"

namespace ridestream::chaos {

enum class Service { kTrip, kLocation, kDispatch };
enum class Link { kRidersToTrip, kDriversToDispatch, kDispatchToTrip, kDispatchToLocation };

/// Ridestream's services as processes that can be killed, frozen and restarted on their old ports,
/// with a gate in each connection. Thread-safe; an action on a service waits for a running action
/// on it.
class GatedSystem {
 public:
  struct Options {
    /// The folder of the binaries.
    std::string bin;
    /// Flags of all three.
    std::vector<std::string> flags = {};
    std::vector<std::string> trip_flags = {};
    std::vector<std::string> location_flags = {};
    std::vector<std::string> dispatch_flags = {};
    /// Trust callers' claims and use plaintext; see LocalServices.
    bool insecure = false;
  };

  /// Returns when all three services serve.
  static absl::StatusOr<std::unique_ptr<GatedSystem>> Start(const Options& options);
  /// Drains the services, dispatch first.
  ~GatedSystem();

  /// Addresses for clients. Each leads through a gate, except location's, which no client needs.
  const std::string& trip() const { return gate(Link::kRidersToTrip).address(); }
  const std::string& dispatch() const { return gate(Link::kDriversToDispatch).address(); }
  const std::string& location() const { return of(Service::kLocation).address; }
  const std::string& dispatch_past_the_gate() const { return of(Service::kDispatch).address; }
  Gate& gate(Link link) const { return *gates_[static_cast<std::size_t>(link)]; }

  /// SIGKILL, then a new process. Returns when it serves. INTERNAL if the process had already
  /// ended.
  absl::Status Kill(Service service);
  /// SIGTERM, then a new process when the old one has ended, which must be with status 0.
  absl::Status Restart(Service service);
  /// As Restart, with the service's binary in the folder `bin` from now on: another version.
  /// When that doesn't start, no process of the service runs until the next Replace.
  absl::Status Replace(Service service, const std::string& bin);
  absl::Status Freeze(Service service, std::chrono::milliseconds time);

  absl::StatusOr<std::size_t> ResidentBytes(Service service);
  /// Contains the logs and trip's data. Removed with this object, unless it is kept.
  const std::string& folder() const { return folder_.path(); }
  /// See LocalServices.
  std::string authority() const { return insecure_ ? "" : folder_.path() + "/authority"; }
  void KeepFolder() { folder_.Keep(); }

 private:
  struct Process {
    std::string name;
    std::string binary;
    std::vector<std::string> flags;
    std::string address;
    std::unique_ptr<process::ChildProcess> child;
    Mutex mu;  // Held during an action on the service. Never held with another lock.
  };

  GatedSystem() = default;
  absl::Status Prepare(const Options& options);
  absl::Status Launch(Process& process);
  absl::Status StopAndLaunch(Process& process, const std::string& binary)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(process.mu);
  Process& of(Service service) { return processes_[static_cast<std::size_t>(service)]; }
  const Process& of(Service service) const { return processes_[static_cast<std::size_t>(service)]; }

  process::TemporaryFolder folder_;
  bool insecure_ = false;
  std::array<Process, 3> processes_;
  std::array<std::unique_ptr<Gate>, 4> gates_;
};

}  // namespace ridestream::chaos
