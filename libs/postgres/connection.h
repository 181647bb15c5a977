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

/// The moment at which a call gives up, on the steady clock.
using Deadline = std::chrono::steady_clock::time_point;

/// The time left; zero when the deadline has passed.
std::chrono::milliseconds Left(Deadline deadline);

/// A statement that is prepared once per connection and executed by its name.
struct Statement {
  const char* name;
  const char* sql;
};

struct Notification {
  std::string channel;
  std::string payload;
  int backend_pid;  ///< Of the connection that sent it.
};

/// A connection to a PostgreSQL server in pipeline mode: Send queues statements, and Sync executes
/// all of them in one round trip. For one thread at a time.
///
/// Its errors:
/// - UNAVAILABLE: the server can't be reached, closed the connection, lacks a resource (disk,
///   memory, connections), is read-only, or aborted this transaction in favour of another one. A
///   retry may succeed.
/// - DEADLINE_EXCEEDED: the server cancelled a statement after its time limit, or didn't answer in
///   time.
/// - ALREADY_EXISTS: a UNIQUE constraint. FAILED_PRECONDITION: any other constraint.
/// - PERMISSION_DENIED: missing rights. INTERNAL: everything else.
class Connection {
 public:
  /// Connects and prepares `statements`. `url` has libpq's syntax:
  /// postgresql://USER:PASSWORD@HOST/DB or key=value pairs; missing parts come from libpq's
  /// environment (PGPASSWORD, …). INVALID_ARGUMENT for a malformed URL; FAILED_PRECONDITION if a
  /// running server refuses the connection (password, database, rights); UNAVAILABLE if no server
  /// answers.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& url,
                                                          std::span<const Statement> statements,
                                                          Deadline deadline);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Prepares further statements.
  absl::Status Prepare(std::span<const Statement> statements, Deadline deadline);

  /// Executes one or more statements that return nothing, outside of the pipeline.
  absl::Status Execute(const std::string& sql, Deadline deadline);

  /// Queues a prepared statement. Sync reports its failure.
  void Send(const Statement& statement, std::span<const Parameter> parameters = {});
  void Send(const Statement& statement, std::initializer_list<Parameter> parameters) {
    Send(statement, std::span(parameters.begin(), parameters.size()));
  }
  /// Queues any single statement.
  void SendSql(const std::string& sql, std::initializer_list<Parameter> parameters = {});
  /// Executes the queued statements; without a BEGIN they are one transaction. Returns the results,
  /// in order; or the first error, after which none of the remaining statements was executed. The
  /// connection is given up if there is no answer by the deadline.
  absl::StatusOr<std::vector<Result>> Sync(Deadline deadline);

  /// Whether the connection is lost and must be opened again.
  bool broken() const;
  /// The socket for poll(): readable when a notification may have arrived.
  int socket() const;
  /// Notifications that have arrived for this connection's LISTENs. UNAVAILABLE if the connection
  /// is lost.
  absl::StatusOr<std::vector<Notification>> TakeNotifications();
  int backend_pid() const;
  /// "postgresql://HOST:PORT/DATABASE", without user and password.
  std::string place() const;

 private:
  explicit Connection(pg_conn* connection) : connection_(connection) {}
  /// Waits until the server has sent something, and sends queued data meanwhile.
  absl::Status WaitForInput(Deadline deadline);
  absl::StatusOr<pg_result*> NextResult(Deadline deadline);
  absl::Status Lost(const std::string& why);
  void NoteSent(int ok);

  pg_conn* connection_;  // Owned; null when given up.
  int sent_ = 0;         // Statements since the last Sync.
  absl::Status send_failure_;
};

}  // namespace ridestream::postgres
