#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "libs/base/geo.h"
#include "libs/process/local_services.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "tests/bench/peers/peer.h"

namespace ridestream::bench {

/// Ridestream's location service, called like dispatch calls it: by gRPC on one connection, in
/// plaintext.
class OurPeer final : public Peer {
 public:
  /// Starts location from the binaries in `bin`, and reports all drivers.
  static absl::StatusOr<std::unique_ptr<OurPeer>> Start(const std::string& bin);

  const process::ChildProcess* server() const override { return &services_->process("location"); }
  absl::StatusOr<Measured> Ingest(std::chrono::seconds length) override;
  absl::StatusOr<Measured> FindNearest(int radius_m, int questions,
                                       std::chrono::seconds length) override;

  /// The ids of the drivers nearest to `place`.
  absl::StatusOr<std::set<std::string>> NearestTo(LatLng place, int radius_m);
  /// Reports `places`, by the drivers' numbers.
  absl::Status Report(const std::vector<LatLng>& places);
  /// A temporary folder, removed with this object.
  const std::string& folder() const { return services_->folder(); }

 private:
  explicit OurPeer(std::unique_ptr<process::LocalServices> services);

  std::unique_ptr<process::LocalServices> services_;
  std::unique_ptr<location::v1::LocationService::Stub> stub_;
  /// Grows with each report of a driver.
  std::uint64_t sequence_ = 0;
};

}  // namespace ridestream::bench
