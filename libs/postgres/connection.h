#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/postgres/parameter.h"
#include "libs/postgres/result.h"

struct pg_conn;
struct pg_result;

namespace ridestream::postgres {

/// When a call gives up, by the wall.
using Deadline = std::chrono::steady_clock::time_point;

/// How long is left; zero when the deadline has passed.
std::chrono::milliseconds Left(Deadline deadline);

/// A statement that is compiled once for a connection and run by its name.
struct Statement {
  const char* name;
  const char* sql;
};

struct Notification {
  std::string channel;
  std::string payload;
  int backend_pid;  ///< Of the connection that sent it.
};

/// A connection to a PostgreSQL server in pipeline mode: statements are queued by Send and carried
/// out together by Sync, one round trip for all. For one thread at a time.
///
/// Codes of its errors: UNAVAILABLE when the server can't be reached, closed the connection, lacks
/// a resource (disk, memory, connections), can't write because it is read-only, or chose this
/// transaction to give way to another: it may be tried again. DEADLINE_EXCEEDED when the server
/// stopped a statement after its time, or didn't answer in time. ALREADY_EXISTS for a UNIQUE
/// constraint, FAILED_PRECONDITION for another constraint, PERMISSION_DENIED without rights,
/// INTERNAL for the rest.
class Connection {
 public:
  /// Connects and compiles `statements`. `url` as libpq takes it:
  /// postgresql://USER:PASSWORD@HOST/DB or key=value pairs; what it leaves out comes from libpq's
  /// environment (PGPASSWORD, …). INVALID_ARGUMENT for a malformed URL; FAILED_PRECONDITION when a
  /// server that is up refuses the connection (password, database, rights); UNAVAILABLE when none
  /// answers.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& url,
                                                          std::span<const Statement> statements,
                                                          Deadline deadline);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Compiles further statements.
  absl::Status Prepare(std::span<const Statement> statements, Deadline deadline);

  /// Runs one or more statements that return nothing, apart from any pipeline.
  absl::Status Execute(const std::string& sql, Deadline deadline);

  /// Queues a compiled statement. Failures show in Sync.
  void Send(const Statement& statement, std::span<const Parameter> parameters = {});
  void Send(const Statement& statement, std::initializer_list<Parameter> parameters) {
    Send(statement, std::span(parameters.begin(), parameters.size()));
  }
  /// Queues any one statement.
  void SendSql(const std::string& sql, std::initializer_list<Parameter> parameters = {});
  /// Carries out what was queued; outside of a BEGIN it is one transaction. The results, in order;
  /// or the first error, after which nothing of the rest was carried out. When no answer has come
  /// by the deadline the connection is given up.
  absl::StatusOr<std::vector<Result>> Sync(Deadline deadline);

  /// Whether the connection is lost, and must be opened again.
  bool broken() const;
  /// For poll(): readable when a notification may have come.
  int socket() const;
  /// Notifications that arrived for this connection's LISTENs. UNAVAILABLE when it is lost.
  absl::StatusOr<std::vector<Notification>> TakeNotifications();
  int backend_pid() const;
  /// "postgresql://HOST:PORT/DATABASE", without user and password.
  std::string place() const;

 private:
  explicit Connection(pg_conn* connection) : connection_(connection) {}
  /// Waits until the server has sent something, while what was queued is being sent.
  absl::Status WaitForInput(Deadline deadline);
  absl::StatusOr<pg_result*> NextResult(Deadline deadline);
  absl::Status Lost(const std::string& why);
  void NoteSent(int ok);

  pg_conn* connection_;  // Owned; null when given up.
  int sent_ = 0;         // Statements since the last Sync.
  absl::Status send_failure_;
};

}  // namespace ridestream::postgres
