#include "services/trip/storage/postgres_session.h"

#include <string>
#include <string_view>
#include <utility>

namespace ridestream::trip {
namespace {

// Plans are made once, maybe while the tables are still empty, and must suit them when they are
// large: every statement has an index for its way. A commit that was acknowledged is durable; a
// database may ask for more (remote_apply) but not for less.
constexpr char kSettings[] =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
    "SET jit = off; SET plan_cache_mode = force_generic_plan; "
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off'";

absl::Status CheckWritable(postgres::Connection& connection, postgres::Deadline deadline) {
  connection.SendSql(
      "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')::boolean");
  const absl::StatusOr<std::vector<postgres::Result>> results = connection.Sync(deadline);
  if (!results.ok()) return results.status();
  if (results->front().Bool(0, 0)) {
    return absl::UnavailableError(
        "PostgreSQL is a standby here, and read-only; name all servers in the URL, with "
        "target_session_attrs=read-write");
  }
  if (results->front().Bool(0, 1)) {
    return absl::UnavailableError("PostgreSQL is read-only here (default_transaction_read_only)");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Outage(const absl::Status& status) {
  if (status.ok() || absl::IsDeadlineExceeded(status)) return status;
  return absl::UnavailableError(std::string(status.message()));
}

absl::Status ForCallers(const absl::Status& status) {
  constexpr std::string_view kNoConnection = "can't connect to PostgreSQL";
  const std::string message(status.message());
  const std::size_t at = message.find(kNoConnection);
  if (at == std::string::npos) return status;
  return absl::Status(status.code(), message.substr(0, at + kNoConnection.size()));
}

absl::StatusOr<std::unique_ptr<postgres::Connection>> OpenPostgresSession(
    const std::string& url, std::span<const postgres::Statement> statements, bool for_writing,
    postgres::Deadline deadline) {
  auto connection = postgres::Connection::Open(url, {}, deadline);
  if (!connection.ok()) return connection.status();
  absl::Status status = (*connection)->Execute(kSettings, deadline);
  if (status.ok() && for_writing) status = CheckWritable(**connection, deadline);
  if (status.ok()) status = (*connection)->Prepare(statements, deadline);
  if (!status.ok()) return status;
  return connection;
}

}  // namespace ridestream::trip
