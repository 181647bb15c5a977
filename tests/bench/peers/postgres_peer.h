#pragma once

#include <memory>
#include <string>

#include "libs/postgres/testing/postgres_server.h"
#include "tests/bench/peers/peer.h"

namespace ridestream::bench {

/// PostgreSQL without extensions, called by pgbench with prepared statements: points on a plane in
/// a GiST index, in an unlogged table, with asynchronous commits. A batch is one statement.
class PostgresPeer final : public Peer {
 public:
  /// Starts Debian's server and adds all drivers. NOT_FOUND without it.
  static absl::StatusOr<std::unique_ptr<PostgresPeer>> Start();

  const process::ChildProcess* server() const override { return nullptr; }
  absl::StatusOr<Measured> Ingest(std::chrono::seconds length) override;
  absl::StatusOr<Measured> FindNearest(int radius_m, int questions,
                                       std::chrono::seconds length) override;

 private:
  explicit PostgresPeer(std::unique_ptr<postgres::testing::PostgresServer> server)
      : server_(std::move(server)) {}
  /// Runs a pgbench script with `callers` clients. Each transaction carries `items`.
  absl::StatusOr<Measured> RunScript(const std::string& script, int callers, int items,
                                     std::chrono::seconds length);

  std::unique_ptr<postgres::testing::PostgresServer> server_;
};

}  // namespace ridestream::bench
