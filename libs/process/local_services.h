#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/process/child_process.h"
#include "libs/process/temporary_folder.h"

namespace ridestream::process {

/// Ridestream's services as processes on this machine: trip, location, dispatch and optionally the
/// gateway. For tests, benchmarks and the supervisor. Not thread-safe.
class LocalServices {
 public:
  struct Options {
    /// The folder of the binaries.
    std::string bin;
    /// Further flags of each service. By default each listens on a free port of 127.0.0.1.
    std::vector<std::string> trip_flags = {};
    std::vector<std::string> location_flags = {};
    std::vector<std::string> dispatch_flags = {};
    std::vector<std::string> gateway_flags = {};
    /// If false, the owner starts dispatch.
    bool dispatch = true;
    /// Requires `dispatch`.
    bool gateway = false;
    /// Environment variables by service.
    std::map<std::string, std::map<std::string, std::string>> environment = {};
    /// The folder of the trips; empty: in folder() below.
    std::string data = {};
    /// Trust the callers' claims and use plaintext, instead of tokens and certificates of a
    /// throwaway authority.
    bool insecure = false;
    /// The folder of an existing throwaway authority; empty: a new one is created.
    std::string authority = {};
  };

  /// Returns when all services serve. Otherwise the status names the failed service and contains
  /// the end of its log.
  static absl::StatusOr<std::unique_ptr<LocalServices>> Start(const Options& options);
  /// Stops the services that Stop didn't, and removes folder().
  ~LocalServices();

  /// HOST:PORT.
  std::string trip() const { return AddressOf("trip"); }
  std::string location() const { return AddressOf("location"); }
  std::string dispatch() const { return AddressOf("dispatch"); }
  std::string gateway() const { return AddressOf("gateway"); }
  /// The metrics address of a service.
  std::string metrics(const std::string& service) const;
  const ChildProcess& process(const std::string& service) const { return *processes_.at(service); }

  /// The names of the running services, in the order in which they were started.
  const std::vector<std::string>& names() const { return names_; }
  /// The services that have ended by themselves.
  std::vector<std::string> Ended() const;
  /// Stops the services by SIGTERM, the last started first; a service that hasn't drained within 30
  /// s is killed. INTERNAL names each service that didn't exit with 0, and shows
  /// the end of its log.
  absl::Status Stop();

  /// The folder of the throwaway authority; empty if the services are insecure.
  const std::string& authority() const { return authority_; }
  /// The address at which a browser opens the page. Unless the services are insecure it contains a
  /// one-time code, which is secret.
  std::string page() const { return process("gateway").Announced("page"); }
  /// A temporary folder with the services' logs (NAME.log) and, by default, the trips.
  const std::string& folder() const { return folder_.path(); }
  /// Keeps folder() when this object is destroyed.
  void KeepFolder() { folder_.Keep(); }

 private:
  LocalServices() = default;
  absl::Status Launch(const Options& options);
  absl::Status Launch(const Options& options, const std::string& name,
                      std::vector<std::string> defaults, const std::vector<std::string>& flags);
  std::string AddressOf(const std::string& service) const;

  TemporaryFolder folder_;
  std::string authority_;
  std::vector<std::string> names_;
  std::map<std::string, std::unique_ptr<ChildProcess>> processes_;
};

}  // namespace ridestream::process
