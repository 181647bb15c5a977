#include "services/trip/storage/postgres_report_exchange.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "services/trip/domain/surge_table.h"
#include "services/trip/storage/postgres_session.h"

namespace ridestream::trip {
namespace {

using postgres::Result;
using postgres::Statement;

constexpr char kProgressChannel[] = "ridestream_trip_progress";
constexpr char kSurgeChannel[] = "ridestream_trip_surge";

/// A payload is text of less than 8,000 bytes: 5,996 in base64. Each entry's tag and length are of
/// four bytes at most.
constexpr std::size_t kMaxPayload = 5'900;
constexpr std::size_t kMaxEntryHeader = 4;

constexpr std::chrono::seconds kMaxExchange{5};
/// How often a database that can't be reached is tried.
constexpr std::chrono::milliseconds kRetryEvery{500};

constexpr Statement kNotifyOthers{"notify_others", "SELECT pg_notify($1, $2)"};
constexpr Statement kSaveSurge{
    "save_surge",
    "INSERT INTO surge (market, reported_at_us, report) "
    "SELECT $1::text, $2::bigint, $3::bytea "
    "WHERE $4::bigint >= COALESCE((SELECT term FROM leases WHERE market = $1), 0) "
    "ON CONFLICT (market) DO UPDATE SET reported_at_us = excluded.reported_at_us, "
    "report = excluded.report WHERE surge.reported_at_us <= excluded.reported_at_us"};
constexpr Statement kReadSurge{
    "read_surge", "SELECT reported_at_us, report FROM surge WHERE $1 = '' OR market = $1"};
constexpr Statement kExchange[] = {kNotifyOthers, kSaveSurge, kReadSurge};

/// Progress in as many payloads as it takes.
std::vector<std::string> Payloads(const std::map<std::string, v1::TripProgress>& progress) {
  std::vector<std::string> payloads;
  v1::ReportProgressRequest part;
  std::size_t bytes = 0;
  const auto finish = [&] {
    if (part.trips().empty()) return;
    payloads.push_back(absl::Base64Escape(part.SerializeAsString()));
    part.Clear();
    bytes = 0;
  };
  for (const auto& [trip_id, entry] : progress) {
    const std::size_t size = entry.ByteSizeLong() + kMaxEntryHeader;
    if (bytes + size > kMaxPayload) finish();
    bytes += size;
    *part.add_trips() = entry;
  }
  finish();
  return payloads;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresReportExchange>> PostgresReportExchange::Open(
    Options options, postgres::Deadline deadline) {
  const int wake_up = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_up < 0) return absl::ResourceExhaustedError("no file descriptor for an eventfd");
  auto exchange = std::unique_ptr<PostgresReportExchange>(
      new PostgresReportExchange(std::move(options), wake_up));
  if (absl::Status status = exchange->Connect(deadline); !status.ok()) return status;
  exchange->thread_ = std::thread([raw = exchange.get()] { raw->Loop(); });
  return exchange;
}

PostgresReportExchange::PostgresReportExchange(Options options, int wake_up)
    : options_(std::move(options)), wake_up_(wake_up) {}

PostgresReportExchange::~PostgresReportExchange() {
  if (thread_.joinable()) {
    {
      MutexLock lock(mu_);
      stopping_ = true;
    }
    eventfd_write(wake_up_, 1);
    thread_.join();
  }
  close(wake_up_);
}

absl::Status PostgresReportExchange::Connect(postgres::Deadline deadline) {
  connection_.reset();
  auto opened = OpenPostgresSession(options_.url, kExchange, /*for_writing=*/true, deadline);
  if (!opened.ok()) return opened.status();
  absl::Status status =
      (*opened)->Execute(fmt::format("SET synchronous_commit = off; LISTEN {}; LISTEN {}",
                                     kProgressChannel, kSurgeChannel),
                         deadline);
  if (!status.ok()) return status;
  connection_ = *std::move(opened);
  // Listens before it reads, so that nothing falls in between.
  return ReadSurge("", deadline);
}

void PostgresReportExchange::Share(const v1::ReportProgressRequest& report) {
  {
    MutexLock lock(mu_);
    for (const v1::TripProgress& entry : report.trips()) {
      if (outbox_.progress.size() >= kMaxTrips && !outbox_.progress.contains(entry.trip_id())) {
        continue;
      }
      outbox_.progress[entry.trip_id()] = entry;
    }
  }
  eventfd_write(wake_up_, 1);
}

void PostgresReportExchange::Share(const v1::ReportSurgeRequest& report, Time at) {
  {
    MutexLock lock(mu_);
    outbox_.surge[report.market()] = {report, at};
  }
  eventfd_write(wake_up_, 1);
}

PostgresReportExchange::Outbox PostgresReportExchange::TakeOutbox() {
  MutexLock lock(mu_);
  return std::exchange(outbox_, {});
}

void PostgresReportExchange::PutBack(Outbox outbox) {
  MutexLock lock(mu_);
  // Keeps what was reported meanwhile, which is newer.
  outbox_.progress.merge(outbox.progress);
  outbox_.surge.merge(outbox.surge);
}

void PostgresReportExchange::Loop() {
  bool failing = false;
  for (;;) {
    // A lost connection's socket is -1, which poll leaves out.
    const int listening = connection_ == nullptr ? -1 : connection_->socket();
    pollfd pollers[] = {{wake_up_, POLLIN, 0}, {listening, POLLIN, 0}};
    // While it fails, reports don't wake it: it is tried every now and then.
    if (failing) {
      poll(pollers + 1, 1, static_cast<int>(kRetryEvery.count()));
    } else {
      poll(pollers, 2, -1);
    }
    eventfd_t count = 0;
    (void)eventfd_read(wake_up_, &count);  // Fails when there is none.
    {
      MutexLock lock(mu_);
      if (stopping_) return;
    }
    const absl::Status status = Exchange();
    if (!status.ok() && !failing) ReportFailure(status);
    failing = !status.ok();
  }
}

absl::Status PostgresReportExchange::Exchange() {
  const postgres::Deadline deadline = std::chrono::steady_clock::now() + kMaxExchange;
  if (connection_ == nullptr || connection_->broken()) {
    if (absl::Status status = Connect(deadline); !status.ok()) return status;
  }
  Outbox outbox = TakeOutbox();
  if (absl::Status status = Send(outbox, deadline); !status.ok()) {
    PutBack(std::move(outbox));
    return status;
  }
  return Receive(deadline);
}

absl::Status PostgresReportExchange::Send(const Outbox& outbox, postgres::Deadline deadline) {
  if (outbox.progress.empty() && outbox.surge.empty()) return absl::OkStatus();
  for (const std::string& payload : Payloads(outbox.progress)) {
    connection_->Send(kNotifyOthers, {kProgressChannel, payload});
  }
  for (const auto& [market, surge] : outbox.surge) {
    connection_->Send(kSaveSurge,
                      {market, surge.second.time_since_epoch().count(),
                       postgres::Bytes{surge.first.SerializeAsString()}, surge.first.term()});
    connection_->Send(kNotifyOthers, {kSurgeChannel, market});
  }
  return connection_->Sync(deadline).status();
}

absl::Status PostgresReportExchange::Receive(postgres::Deadline deadline) {
  // Reading surge takes in further notifications, for which the socket isn't readable any more.
  for (;;) {
    const auto notifications = connection_->TakeNotifications();
    if (!notifications.ok()) return notifications.status();
    if (notifications->empty()) return absl::OkStatus();
    for (const postgres::Notification& notification : *notifications) {
      if (notification.backend_pid == connection_->backend_pid()) continue;
      if (notification.channel == kProgressChannel) {
        ReceiveProgress(notification.payload);
      } else if (absl::Status status = ReadSurge(notification.payload, deadline); !status.ok()) {
        return status;
      }
    }
  }
}

void PostgresReportExchange::ReceiveProgress(const std::string& payload) {
  std::string bytes;
  v1::ReportProgressRequest report;
  if (!absl::Base64Unescape(payload, &bytes) || !report.ParseFromString(bytes)) {
    return ReportFailure(absl::DataLossError("a notification of progress can't be read"));
  }
  if (options_.on_progress) options_.on_progress(report);
}

void PostgresReportExchange::ReportFailure(const absl::Status& status) {
  if (options_.on_failure) options_.on_failure(status);
}

absl::Status PostgresReportExchange::ReadSurge(const std::string& market,
                                               postgres::Deadline deadline) {
  connection_->Send(kReadSurge, {market});
  const absl::StatusOr<std::vector<Result>> results = connection_->Sync(deadline);
  if (!results.ok()) return results.status();
  const Result& rows = results->front();
  for (int row = 0; row < rows.rows(); ++row) {
    v1::ReportSurgeRequest report;
    if (!report.ParseFromString(std::string(rows.Text(row, 1))) || !ValidateSurge(report).ok()) {
      ReportFailure(absl::DataLossError("a row of the table surge can't be read"));
      continue;
    }
    if (options_.on_surge) options_.on_surge(report, Time(Duration(rows.Int64(row, 0))));
  }
  return absl::OkStatus();
}

}  // namespace ridestream::trip
