#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/mutex.h"
#include "libs/postgres/connection.h"
#include "services/trip/domain/report_exchange.h"

namespace ridestream::trip {

/// Reports between the trip processes of one PostgreSQL database. Progress travels in the payload
/// of notifications and is kept nowhere. Surge is in a table of a row a market, so that a
/// process that starts learns it too; a notification names the market. Surge of an older term than
/// the market's lease isn't written there. The table is unlogged, and
/// commits here wait for no disk and no standby: all of it is reported again soon. One thread of
/// its own with one connection sends and receives.
class PostgresReportExchange final : public ReportExchange {
 public:
  /// Maximum number of trips whose progress waits to be sent. Progress of further trips is dropped.
  static constexpr std::size_t kMaxTrips = 65'536;

  struct Options {
    std::string url;
    /// Called by the exchange's thread with reports of other processes. Must not block. Progress
    /// isn't validated, and may come from anybody who has access to the database.
    std::function<void(const v1::ReportProgressRequest&)> on_progress;
    std::function<void(const v1::ReportSurgeRequest&, Time at)> on_surge;  ///< Valid.
    /// Called once when reports can't be exchanged, and again only after they could be in between.
    /// Also called for each report that can't be parsed, which is ignored.
    std::function<void(const absl::Status&)> on_failure;
  };

  /// Returns when reports of other processes are received, and their earlier surge reports have
  /// been passed to `on_surge`.
  static absl::StatusOr<std::unique_ptr<PostgresReportExchange>> Open(Options options,
                                                                      postgres::Deadline deadline);
  ~PostgresReportExchange() override;

  void Share(const v1::ReportProgressRequest& report) override;
  void Share(const v1::ReportSurgeRequest& report, Time at) override;

 private:
  using Surge = std::pair<v1::ReportSurgeRequest, Time>;
  /// The newest reports by trip and by market that wait to be sent.
  struct Outbox {
    std::map<std::string, v1::TripProgress> progress;
    std::map<std::string, Surge> surge;
  };

  PostgresReportExchange(Options options, int wake_up);
  absl::Status Connect(postgres::Deadline deadline);
  void Loop();
  /// Sends waiting reports and processes received ones.
  absl::Status Exchange();
  absl::Status Send(const Outbox& outbox, postgres::Deadline deadline);
  absl::Status Receive(postgres::Deadline deadline);
  void ReceiveProgress(const std::string& payload);
  /// Reads the surge of one market, or of all when `market` is empty.
  absl::Status ReadSurge(const std::string& market, postgres::Deadline deadline);
  void ReportFailure(const absl::Status& status);
  Outbox TakeOutbox();
  void PutBack(Outbox outbox);

  const Options options_;
  const int wake_up_;                                 // An eventfd.
  std::unique_ptr<postgres::Connection> connection_;  // The thread's, after Open.
  Mutex mu_;
  Outbox outbox_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace ridestream::trip
