#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "libs/base/geo.h"
#include "libs/process/child_process.h"
#include "tests/bench/peers/peer.h"
#include "tests/bench/peers/redis_connection.h"

namespace ridestream::bench {

/// Redis' GEO commands on a server that keeps nothing on disk. Each caller has a connection of its
/// own. A batch of questions is a pipeline of commands; a batch of positions is one command.
class RedisPeer final : public Peer {
 public:
  /// Starts Debian's redis-server on a free port, with its log in `folder`. NOT_FOUND without it.
  static absl::StatusOr<std::unique_ptr<RedisPeer>> Start(const std::string& folder);

  const process::ChildProcess* server() const override { return server_.get(); }
  absl::StatusOr<Measured> Ingest(std::chrono::seconds length) override;
  absl::StatusOr<Measured> FindNearest(int radius_m, int questions,
                                       std::chrono::seconds length) override;

  /// See OurPeer.
  absl::StatusOr<std::set<std::string>> NearestTo(LatLng place, int radius_m);
  absl::Status Report(const std::vector<LatLng>& places);

 private:
  RedisPeer(std::unique_ptr<process::ChildProcess> server, int port)
      : server_(std::move(server)), port_(port) {}
  /// A caller that sends `calls` in turn and reads `replies` to each.
  absl::StatusOr<Caller> MakeCaller(std::vector<std::string> calls, int replies, int items) const;

  std::unique_ptr<process::ChildProcess> server_;
  const int port_;
};

}  // namespace ridestream::bench
