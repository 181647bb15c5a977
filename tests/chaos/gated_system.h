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

/// Ridestream's services as processes that can be killed, frozen and started again on the ports
/// they had, with a gate in each connection. Thread-safe; what is done to one service waits for
/// what is being done to it.
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
    /// Believe callers and speak plaintext; see LocalServices.
    bool insecure = false;
  };

  /// Returns when all three serve.
  static absl::StatusOr<std::unique_ptr<GatedSystem>> Start(const Options& options);
  /// Lets them drain, dispatch first.
  ~GatedSystem();

  /// For clients: each leads through a gate, but for location, to which none of a client's needs
  /// to.
  const std::string& trip() const { return gate(Link::kRidersToTrip).address(); }
  const std::string& dispatch() const { return gate(Link::kDriversToDispatch).address(); }
  const std::string& location() const { return of(Service::kLocation).address; }
  const std::string& dispatch_past_the_gate() const { return of(Service::kDispatch).address; }
  Gate& gate(Link link) const { return *gates_[static_cast<std::size_t>(link)]; }

  /// SIGKILL, and a new process. Returns when it serves. INTERNAL when it wasn't alive any more.
  absl::Status Kill(Service service);
  /// SIGTERM, and a new process when the old has ended, which it must with status 0.
  absl::Status Restart(Service service);
  absl::Status Freeze(Service service, std::chrono::milliseconds time);

  absl::StatusOr<std::size_t> ResidentBytes(Service service);
  /// Logs, and trip's data. Goes with the object, unless it is to be kept.
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
    Mutex mu;  // Held while something is being done to it. Taken alone.
  };

  GatedSystem() = default;
  absl::Status Prepare(const Options& options);
  absl::Status Launch(Process& process);
  Process& of(Service service) { return processes_[static_cast<std::size_t>(service)]; }
  const Process& of(Service service) const { return processes_[static_cast<std::size_t>(service)]; }

  process::TemporaryFolder folder_;
  bool insecure_ = false;
  std::array<Process, 3> processes_;
  std::array<std::unique_ptr<Gate>, 4> gates_;
};

}  // namespace ridestream::chaos
