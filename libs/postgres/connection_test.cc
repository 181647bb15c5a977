#include "libs/postgres/connection.h"

#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>

#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/clock.h"
#include "libs/identity/development_authority.h"
#include "libs/postgres/migrations.h"
#include "libs/postgres/testing/postgres_server.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::postgres {
namespace {

using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using testing::PostgresServer;

Deadline InSeconds(int seconds) {
  return std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
}

constexpr Statement kEcho{"echo", "SELECT $1::bigint, $2::text, $3::bytea, $4::text[], $5::text"};

class ConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = PostgresServer::Start();
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    connection_ = Connect();
  }

  std::unique_ptr<Connection> Connect() {
    auto connection = Connection::Open(server_->Url(), std::span(&kEcho, 1), InSeconds(10));
    EXPECT_THAT(connection, IsOk());
    return *std::move(connection);
  }

  std::unique_ptr<PostgresServer> server_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ConnectionTest, PipelineReturnsResultsInOrder) {
  const std::string odd = "a\"b\\c,{}'\n";
  connection_->Send(kEcho, {-7, odd, Bytes{std::string("\0\xff", 2)},
                            std::vector<std::string>{odd, "", "NULL"}, nullptr});
  connection_->SendSql("SELECT ($1::text[])[1]", {std::vector<std::string>{odd}});
  const auto results = connection_->Sync(InSeconds(10));
  ASSERT_THAT(results, IsOk());
  ASSERT_EQ(results->size(), 2u);
  EXPECT_EQ((*results)[0].Int64(0, 0), -7);
  EXPECT_EQ((*results)[0].Text(0, 1), odd);
  EXPECT_EQ((*results)[0].Text(0, 2), std::string_view("\0\xff", 2));
  EXPECT_TRUE((*results)[0].IsNull(0, 4));
  EXPECT_EQ((*results)[1].Text(0, 0), odd);
}

TEST_F(ConnectionTest, FirstErrorEndsThePipelineAndUndoesIt) {
  ASSERT_THAT(connection_->Execute("CREATE TABLE t (n int PRIMARY KEY)", InSeconds(10)), IsOk());
  connection_->SendSql("INSERT INTO t VALUES (1)");
  connection_->SendSql("INSERT INTO t VALUES (1)");
  connection_->SendSql("INSERT INTO t VALUES (2)");
  EXPECT_THAT(connection_->Sync(InSeconds(10)),
              StatusIs(absl::StatusCode::kAlreadyExists, "23505"));
  connection_->SendSql("SELECT count(*) FROM t");
  const auto results = connection_->Sync(InSeconds(10));
  ASSERT_THAT(results, IsOk());
  EXPECT_EQ((*results)[0].Int64(0, 0), 0);
}

TEST_F(ConnectionTest, SilentServerIsGivenUpAtTheDeadline) {
  // Stops only the parent; the backend of this connection continues.
  server_->process().Signal(SIGSTOP);
  connection_->SendSql("SELECT pg_sleep(60)");
  EXPECT_THAT(connection_->Sync(std::chrono::steady_clock::now() + std::chrono::milliseconds(50)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, "didn't answer in time"));
  EXPECT_TRUE(connection_->broken());
  server_->process().Signal(SIGCONT);
}

TEST_F(ConnectionTest, StatementIsStoppedAfterItsTimeAndTheConnectionIsKept) {
  connection_->SendSql("SELECT set_config('statement_timeout', $1, true)", {"20"});
  connection_->SendSql("SELECT pg_sleep(60)");
  EXPECT_THAT(connection_->Sync(InSeconds(10)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, "timeout"));
  connection_->SendSql("SHOW statement_timeout");
  const auto results = connection_->Sync(InSeconds(10));
  ASSERT_THAT(results, IsOk());
  EXPECT_EQ((*results)[0].Text(0, 0), "0");
}

TEST_F(ConnectionTest, TerminatedBackendIsUnavailableWithTheReason) {
  ASSERT_THAT(
      server_->Execute(fmt::format("SELECT pg_terminate_backend({})", connection_->backend_pid())),
      IsOk());
  connection_->SendSql("SELECT 1");
  EXPECT_THAT(connection_->Sync(InSeconds(10)), StatusIs(absl::StatusCode::kUnavailable, ""));
  connection_->SendSql("SELECT 1");
  EXPECT_THAT(connection_->Sync(InSeconds(10)), StatusIs(absl::StatusCode::kUnavailable, "lost"));
  EXPECT_TRUE(connection_->broken());
}

TEST_F(ConnectionTest, RefusedConnectionsGiveTheReasonWithoutThePassword) {
  const auto open = [&](const std::string& url) {
    return Connection::Open(url, {}, InSeconds(10)).status();
  };
  const absl::Status wrong = open(server_->Url("ridestream", "ridestream", "hunter2"));
  EXPECT_THAT(wrong, StatusIs(absl::StatusCode::kFailedPrecondition, "password authentication"));
  EXPECT_EQ(wrong.message().find("hunter2"), std::string_view::npos);
  EXPECT_THAT(open(server_->Url("nowhere")),
              StatusIs(absl::StatusCode::kFailedPrecondition, "\"nowhere\" does not exist"));
  EXPECT_THAT(open("postgresql://u:hunter2@[half/db"),
              StatusIs(absl::StatusCode::kInvalidArgument, "malformed"));
  EXPECT_THAT(open("postgresql:///db?host=/nowhere"),
              StatusIs(absl::StatusCode::kUnavailable, "/nowhere"));
}

/// A server with a certificate for localhost and 127.0.0.1 from its own authority.
class TlsConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override { Start({}); }

  void Start(std::vector<std::string> settings) {
    for (const std::string& authority : {right_, wrong_}) {
      ASSERT_THAT(identity::DevelopmentAuthority::Create(authority, {.services = {"postgres"}},
                                                         ScaledClock().Now()),
                  IsOk());
    }
    auto server = PostgresServer::Start(
        {.tls = PostgresServer::Tls{right_ + "/postgres.pem", right_ + "/postgres.key"},
         .settings = std::move(settings)});
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
  }

  absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& parameters) {
    return Connection::Open(server_->TcpUrl(parameters), {}, InSeconds(10));
  }
  /// Expects the connection to fail for this reason, without the password in the message.
  void ExpectRefused(const std::string& parameters, const std::string& reason) {
    const absl::Status status = Open(parameters).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, reason));
    EXPECT_EQ(status.message().find(PostgresServer::kPassword), std::string_view::npos) << status;
  }

  const ridestream::testing::TempFolder folder_;
  const std::string right_ = folder_.File("right");
  const std::string wrong_ = folder_.File("wrong");
  std::unique_ptr<PostgresServer> server_;
};

TEST_F(TlsConnectionTest, ServerOfTheNamedAuthorityIsTrusted) {
  auto connection = Open("sslmode=verify-full&sslrootcert=" + right_ + "/authority.pem");
  ASSERT_THAT(connection, IsOk());
  (*connection)->SendSql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  const auto results = (*connection)->Sync(InSeconds(10));
  ASSERT_THAT(results, IsOk());
  EXPECT_TRUE(results->front().Bool(0, 0));
}

TEST_F(TlsConnectionTest, ServerThatIsNotTrustedIsRefusedWithTheReasonAndWithoutThePassword) {
  ExpectRefused("sslmode=verify-full&sslrootcert=" + wrong_ + "/authority.pem",
                "certificate verify failed");
  ExpectRefused("sslmode=verify-full&sslrootcert=/nowhere.pem",
                "root certificate file \"/nowhere.pem\" does not exist");
  ExpectRefused("sslmode=verify-full&host=db.example&hostaddr=127.0.0.1&sslrootcert=" + right_ +
                    "/authority.pem",
                "does not match host name \"db.example\"");
}

TEST_F(TlsConnectionTest, TheEnvironmentFillsWhatTheUrlOmits) {
  ASSERT_EQ(setenv("PGSSLMODE", "verify-full", 1), 0);
  ASSERT_EQ(setenv("PGSSLROOTCERT", (wrong_ + "/authority.pem").c_str(), 1), 0);
  ExpectRefused("", "certificate verify failed");
  EXPECT_THAT(Open("sslrootcert=" + right_ + "/authority.pem"), IsOk()) << "the URL goes first";
  ASSERT_EQ(setenv("PGSSLROOTCERT", (right_ + "/authority.pem").c_str(), 1), 0);
  EXPECT_THAT(Open(""), IsOk());
  unsetenv("PGSSLMODE");
  unsetenv("PGSSLROOTCERT");
}

TEST_F(TlsConnectionTest, ServerWithoutTlsIsRefusedIfTlsIsDemanded) {
  Start({"ssl=off"});
  ExpectRefused("sslmode=verify-full&sslrootcert=" + right_ + "/authority.pem",
                "server does not support SSL");
}

TEST(ConnectionUrlTest, MalformedUrlIsRefusedWithoutAPartOfThePassword) {
  for (const char* url :
       {"postgre://u:hunter2@127.0.0.1/db", "\"postgresql://u:hunter2@127.0.0.1/db\"",
        "postgresql://u:hunter2@[::1]x/db", "postgresql://u:hunter%2@127.0.0.1/db",
        "postgresql://u:hunter/2@127.0.0.1/db", "postgresql://u:hunter@2@127.0.0.1/db"}) {
    SCOPED_TRACE(url);
    const absl::Status status = Connection::Open(url, {}, InSeconds(10)).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "percent-encoded"));
    EXPECT_EQ(status.message().find("hunter"), std::string_view::npos) << status;
    EXPECT_EQ(status.message().find("127.0.0.1"), std::string_view::npos) << status;
  }
}

TEST_F(ConnectionTest, MigrationsRunOnceHoweverManyProcessesStart) {
  const std::string_view migrations[] = {"CREATE TABLE a (n int)", "INSERT INTO a VALUES (1)"};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto connection = Connect();
      EXPECT_THAT(Migrate(*connection, "version_of_a", migrations, InSeconds(30)), IsOk());
    });
  }
  for (std::thread& thread : threads) thread.join();
  connection_->SendSql("SELECT count(*) FROM a");
  EXPECT_EQ(connection_->Sync(InSeconds(10))->front().Int64(0, 0), 1);
  EXPECT_THAT(Migrate(*connection_, "version_of_a", std::span(migrations, 1), InSeconds(10)),
              StatusIs(absl::StatusCode::kFailedPrecondition, "schema version 2"));
}

TEST_F(ConnectionTest, FailedMigrationChangesNothing) {
  const std::string_view migrations[] = {"CREATE TABLE a (n int)", "CREATE TABLE b (n nonsense)"};
  EXPECT_THAT(Migrate(*connection_, "version_of_a", migrations, InSeconds(10)),
              StatusIs(absl::StatusCode::kInternal, "nonsense"));
  connection_->SendSql("SELECT to_regclass('a') IS NULL AND to_regclass('version_of_a') IS NULL");
  EXPECT_TRUE(connection_->Sync(InSeconds(10))->front().Bool(0, 0));
}

}  // namespace
}  // namespace ridestream::postgres
