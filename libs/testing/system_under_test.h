#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/testing/child_process.h"

namespace ridestream::testing {

/// Ridestream's three services as processes of their own, on free ports and in an own folder, which
/// both go with the object.
class SystemUnderTest {
 public:
  struct Options {
    /// The folder of the binaries.
    std::string bin;
    /// Further flags of each service.
    std::vector<std::string> trip_flags = {};
    std::vector<std::string> location_flags = {};
    std::vector<std::string> dispatch_flags = {};
  };

  /// Returns when all three serve.
  static absl::StatusOr<std::unique_ptr<SystemUnderTest>> Start(const Options& options);
  ~SystemUnderTest();

  const std::string& trip() const { return trip_address_; }
  const std::string& location() const { return location_address_; }
  const std::string& dispatch() const { return dispatch_address_; }
  const ChildProcess& location_process() const { return *location_; }
  const ChildProcess& dispatch_process() const { return *dispatch_; }
  /// Where the metrics of "trip", "location" or "dispatch" are served.
  std::string metrics(const std::string& service) const {
    return (service == "trip"       ? trip_
            : service == "location" ? location_
                                    : dispatch_)
        ->ServingField("metrics");
  }
  /// The services' logs and trip's data.
  const std::string& folder() const { return folder_; }

 private:
  SystemUnderTest() = default;

  std::string folder_;
  std::string trip_address_;
  std::string location_address_;
  std::string dispatch_address_;
  std::unique_ptr<ChildProcess> trip_;
  std::unique_ptr<ChildProcess> location_;
  std::unique_ptr<ChildProcess> dispatch_;
};

}  // namespace ridestream::testing
