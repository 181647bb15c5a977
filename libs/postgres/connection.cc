#include "libs/postgres/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"

namespace ridestream::postgres {
namespace {

constexpr int kBinary = 1;

/// libpq's messages end with line breaks.
std::string Trimmed(const std::string& message) {
  return std::string(absl::StripAsciiWhitespace(message));
}

absl::StatusCode CodeOf(std::string_view sqlstate) {
  struct Class {
    std::string_view prefix;
    absl::StatusCode code;
  };
  static constexpr Class kClasses[] = {
      {"57014", absl::StatusCode::kDeadlineExceeded},  // query_canceled, by statement_timeout
      {"25006", absl::StatusCode::kUnavailable},       // read_only_sql_transaction
      {"25P03", absl::StatusCode::kUnavailable},       // idle_in_transaction_session_timeout
      {"55P03", absl::StatusCode::kUnavailable},       // lock_not_available
      {"42501", absl::StatusCode::kPermissionDenied},  // insufficient_privilege
      {"23505", absl::StatusCode::kAlreadyExists},     // unique_violation
      {"23", absl::StatusCode::kFailedPrecondition},   // other constraints
      {"08", absl::StatusCode::kUnavailable},          // connection
      {"40", absl::StatusCode::kUnavailable},          // serialization failure, deadlock
      {"53", absl::StatusCode::kUnavailable},          // disk full, out of memory, connections
      {"57", absl::StatusCode::kUnavailable},          // the server stops or starts
      {"58", absl::StatusCode::kUnavailable},          // I/O error
  };
  for (const Class& one : kClasses) {
    if (sqlstate.starts_with(one.prefix)) return one.code;
  }
  return absl::StatusCode::kInternal;
}

absl::Status ToStatus(const pg_result* result) {
  const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  // Without a state the error is libpq's own: the connection is gone.
  if (sqlstate == nullptr) {
    return absl::UnavailableError(
        fmt::format("PostgreSQL: {}", Trimmed(PQresultErrorMessage(result))));
  }
  return absl::Status(CodeOf(sqlstate), fmt::format("PostgreSQL: {} ({})", message, sqlstate));
}

/// Whether a server that refuses a connection with this message may accept the next one: it is
/// starting or stopping, is a standby until the failover is complete, has too many clients, or is
/// too slow to answer.
bool IsPassing(const std::string& refusal) {
  constexpr std::string_view kPassing[] = {
      "starting up",           "shutting down",  "recovery mode", "not yet accepting",
      "not accepting",         "read-only",      "too many",      "slots are reserved",
      "administrator command", "timeout expired"};
  return std::any_of(std::begin(kPassing), std::end(kPassing), [&](std::string_view passing) {
    return refusal.find(passing) != std::string::npos;
  });
}

/// Whether libpq didn't trust the server, or couldn't decide whether to. That lasts until somebody
/// changes the URL, a file or the server's certificate.
bool IsDistrust(const std::string& failure) {
  constexpr std::string_view kReasons[] = {"certificate verify failed", "root certificate",
                                           "does not match host name",
                                           "server does not support SSL", "certificate file"};
  return std::any_of(std::begin(kReasons), std::end(kReasons), [&](std::string_view reason) {
    return failure.find(reason) != std::string::npos;
  });
}

/// Settings of every session; the URL overrides them.
constexpr std::pair<const char*, const char*> kSettings[] = {
    {"fallback_application_name", "ridestream"},
    {"client_encoding", "UTF8"},
    {"tcp_user_timeout", "10000"},
    {"keepalives_idle", "10"},
    {"keepalives_interval", "5"},
};

/// Shortest connect timeout that libpq accepts, for each of the URL's servers.
constexpr std::chrono::milliseconds kLeastConnect{2'000};
constexpr std::chrono::milliseconds kLongestConnect{3'000};

/// libpq's arrays of keywords and values; later entries win, and the URL is the last.
struct Keywords {
  Keywords(const std::string& url, Deadline deadline)
      : connect_timeout(
            std::to_string(std::chrono::ceil<std::chrono::seconds>(
                               std::clamp(Left(deadline), kLeastConnect, kLongestConnect))
                               .count())) {
    names.push_back("connect_timeout");
    values.push_back(connect_timeout.c_str());
    for (const auto& [keyword, value] : kSettings) {
      names.push_back(keyword);
      values.push_back(value);
    }
    names.insert(names.end(), {"dbname", nullptr});
    values.insert(values.end(), {url.c_str(), nullptr});
  }
  Keywords(const Keywords&) = delete;
  Keywords& operator=(const Keywords&) = delete;

  const std::string connect_timeout;
  std::vector<const char*> names;
  std::vector<const char*> values;
};

/// Omits libpq's message, which quotes the URL and thereby parts of the password.
absl::Status MalformedUrl() {
  return absl::InvalidArgumentError(
      "PostgreSQL's URL is malformed: it must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
      "and "
      "special characters in its parts must be percent-encoded, such as %40 for @");
}

bool CanBeParsed(const std::string& url) {
  PQconninfoOption* const parsed = PQconninfoParse(url.c_str(), nullptr);
  if (parsed == nullptr) return false;
  bool result = true;
  for (const PQconninfoOption* option = parsed; option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const std::string_view keyword = option->keyword, value = option->val;
    // An unescaped @ or / in a password ends up in the host or in the port.
    if (keyword == "host" && value.find('@') != std::string_view::npos) result = false;
    if (keyword == "port" && value.find_first_not_of("0123456789,") != std::string_view::npos) {
      result = false;
    }
  }
  PQconninfoFree(parsed);
  return result;
}

}  // namespace

std::chrono::milliseconds Left(Deadline deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::clamp<std::chrono::milliseconds>(left, std::chrono::milliseconds(0),
                                               std::chrono::hours(1));
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& url,
                                                             std::span<const Statement> statements,
                                                             Deadline deadline) {
  if (!CanBeParsed(url)) return MalformedUrl();
  const Keywords keywords(url, deadline);
  auto connection = std::unique_ptr<Connection>(new Connection(
      PQconnectdbParams(keywords.names.data(), keywords.values.data(), /*expand_dbname=*/1)));
  if (PQstatus(connection->connection_) != CONNECTION_OK) {
    const std::string text = fmt::format("can't connect to PostgreSQL: {}",
                                         Trimmed(PQerrorMessage(connection->connection_)));
    if (IsPassing(text)) return absl::UnavailableError(text);
    if (IsDistrust(text)) return absl::FailedPreconditionError(text);
    // libpq gives no code. If the server accepts connections, it refused this one.
    const PGPing ping = PQpingParams(keywords.names.data(), keywords.values.data(), 1);
    return ping == PQPING_OK ? absl::FailedPreconditionError(text) : absl::UnavailableError(text);
  }
  PQsetnonblocking(connection->connection_, 1);
  // Notices would be printed to stderr beside the service's log.
  PQsetNoticeProcessor(
      connection->connection_, [](void*, const char*) {}, nullptr);
  if (PQenterPipelineMode(connection->connection_) != 1) {
    return connection->Lost(PQerrorMessage(connection->connection_));
  }
  if (absl::Status status = connection->Prepare(statements, deadline); !status.ok()) return status;
  return connection;
}

Connection::~Connection() { PQfinish(connection_); }

absl::Status Connection::Prepare(std::span<const Statement> statements, Deadline deadline) {
  if (connection_ == nullptr) return absl::UnavailableError("the connection to PostgreSQL is lost");
  for (const Statement& statement : statements) {
    NoteSent(PQsendPrepare(connection_, statement.name, statement.sql, 0, nullptr));
  }
  return Sync(deadline).status();
}

void Connection::NoteSent(int ok) {
  ++sent_;
  if (ok != 1 && send_failure_.ok()) {
    send_failure_ = absl::UnavailableError(fmt::format(
        "PostgreSQL: {}",
        connection_ == nullptr ? "no connection" : Trimmed(PQerrorMessage(connection_))));
  }
}

void Connection::Send(const Statement& statement, std::span<const Parameter> parameters) {
  constexpr std::size_t kMaxParameters = 16;
  std::array<const char*, kMaxParameters> values;
  std::array<int, kMaxParameters> sizes;
  std::array<int, kMaxParameters> formats;
  const std::size_t count = std::min(parameters.size(), kMaxParameters);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = parameters[i].data();
    sizes[i] = parameters[i].size();
    formats[i] = parameters[i].is_binary() ? kBinary : 0;
  }
  if (connection_ == nullptr) return NoteSent(0);
  NoteSent(PQsendQueryPrepared(connection_, statement.name, static_cast<int>(count), values.data(),
                               sizes.data(), formats.data(), kBinary));
}

void Connection::SendSql(const std::string& sql, std::initializer_list<Parameter> parameters) {
  std::vector<const char*> values;
  std::vector<int> sizes;
  std::vector<int> formats;
  for (const Parameter& parameter : parameters) {
    values.push_back(parameter.data());
    sizes.push_back(parameter.size());
    formats.push_back(parameter.is_binary() ? kBinary : 0);
  }
  if (connection_ == nullptr) return NoteSent(0);
  NoteSent(PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                             values.data(), sizes.data(), formats.data(), kBinary));
}

absl::Status Connection::Lost(const std::string& why) {
  absl::Status status =
      absl::UnavailableError(fmt::format("the connection to PostgreSQL is lost: {}", Trimmed(why)));
  PQfinish(std::exchange(connection_, nullptr));
  return status;
}

absl::Status Connection::WaitForInput(Deadline deadline) {
  for (;;) {
    const int unsent = PQflush(connection_);
    if (unsent < 0) return Lost(PQerrorMessage(connection_));
    pollfd poller{PQsocket(connection_), static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN),
                  0};
    const int ready = poll(&poller, 1, static_cast<int>(Left(deadline).count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      (void)Lost("");  // Pending results can't be distinguished from later ones.
      return absl::DeadlineExceededError("PostgreSQL didn't answer in time");
    }
    if ((poller.revents & ~POLLOUT) == 0) continue;
    if (PQconsumeInput(connection_) != 1) return Lost(PQerrorMessage(connection_));
    return absl::OkStatus();
  }
}

absl::StatusOr<pg_result*> Connection::NextResult(Deadline deadline) {
  while (PQisBusy(connection_) != 0) {
    if (absl::Status status = WaitForInput(deadline); !status.ok()) return status;
  }
  return PQgetResult(connection_);
}

absl::StatusOr<std::vector<Result>> Connection::Sync(Deadline deadline) {
  const int expected = std::exchange(sent_, 0);
  const absl::Status send_failure = std::exchange(send_failure_, absl::OkStatus());
  if (connection_ == nullptr) return absl::UnavailableError("the connection to PostgreSQL is lost");
  if (!send_failure.ok()) return Lost(std::string(send_failure.message()));
  if (PQpipelineSync(connection_) != 1) return Lost(PQerrorMessage(connection_));
  std::vector<Result> results;
  results.reserve(static_cast<std::size_t>(expected));
  absl::Status failure;
  for (;;) {
    absl::StatusOr<pg_result*> next = NextResult(deadline);
    // The server's last message explains more than the closed connection does.
    if (!next.ok()) return failure.ok() ? next.status() : failure;
    if (*next == nullptr) {
      if (PQstatus(connection_) == CONNECTION_OK) continue;  // The end of a statement's results.
      return Lost(failure.ok() ? PQerrorMessage(connection_) : std::string(failure.message()));
    }
    Result result(*next);
    switch (PQresultStatus(*next)) {
      case PGRES_PIPELINE_SYNC:
        if (!failure.ok()) return failure;
        return results;
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
        results.push_back(std::move(result));
        break;
      case PGRES_PIPELINE_ABORTED:
        break;
      default:
        if (failure.ok()) failure = ToStatus(*next);
    }
  }
}

absl::Status Connection::Execute(const std::string& sql, Deadline deadline) {
  if (connection_ == nullptr) return absl::UnavailableError("the connection to PostgreSQL is lost");
  // Several statements in one text need the simple protocol, which pipeline mode lacks.
  if (PQexitPipelineMode(connection_) != 1 || PQsendQuery(connection_, sql.c_str()) != 1) {
    return Lost(PQerrorMessage(connection_));
  }
  absl::Status failure;
  for (;;) {
    absl::StatusOr<pg_result*> next = NextResult(deadline);
    if (!next.ok()) return failure.ok() ? next.status() : failure;
    if (*next == nullptr) break;
    const Result result(*next);
    const ExecStatusType status = PQresultStatus(*next);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && failure.ok()) {
      failure = ToStatus(*next);
    }
  }
  if (PQstatus(connection_) != CONNECTION_OK) return Lost(std::string(failure.message()));
  if (PQenterPipelineMode(connection_) != 1) return Lost(PQerrorMessage(connection_));
  return failure;
}

bool Connection::broken() const {
  return connection_ == nullptr || PQstatus(connection_) != CONNECTION_OK;
}

int Connection::socket() const { return connection_ == nullptr ? -1 : PQsocket(connection_); }

absl::StatusOr<std::vector<Notification>> Connection::TakeNotifications() {
  if (connection_ == nullptr) return absl::UnavailableError("the connection to PostgreSQL is lost");
  if (PQconsumeInput(connection_) != 1) return Lost(PQerrorMessage(connection_));
  std::vector<Notification> notifications;
  while (PGnotify* notify = PQnotifies(connection_)) {
    notifications.push_back({notify->relname, notify->extra, notify->be_pid});
    PQfreemem(notify);
  }
  return notifications;
}

int Connection::backend_pid() const {
  return connection_ == nullptr ? 0 : PQbackendPID(connection_);
}

std::string Connection::place() const {
  if (connection_ == nullptr) return "postgresql:";
  return fmt::format("postgresql://{}:{}/{}", PQhost(connection_), PQport(connection_),
                     PQdb(connection_));
}

}  // namespace ridestream::postgres
