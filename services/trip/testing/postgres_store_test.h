#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "libs/base/mutex.h"
#include "libs/postgres/testing/postgres_server.h"
#include "libs/testing/status_matchers.h"
#include "services/trip/storage/postgres_trip_store.h"
#include "services/trip/testing/store_calls.h"
#include "services/trip/testing/trip_samples.h"

namespace ridestream::trip::testing {

/// A store as one process has it, with the record of what was published there.
class RecordedStore {
 public:
  explicit RecordedStore(PostgresTripStore::Options options) {
    options.listener = [this](const std::vector<EventPtr>& events) {
      MutexLock lock(mu_);
      for (const EventPtr& event : events) published_.push_back(event->sequence());
      grown_.SignalAll();
    };
    auto store = PostgresTripStore::Open(std::move(options));
    EXPECT_THAT(store, ridestream::testing::IsOk());
    store_ = *std::move(store);
  }

  PostgresTripStore& operator*() { return *store_; }
  PostgresTripStore* operator->() { return store_.get(); }

  /// Waits until this many events were published; they must be consecutive.
  std::vector<std::uint64_t> WaitForPublished(size_t count) {
    MutexLock lock(mu_);
    while (published_.size() < count) grown_.Wait(mu_);
    return published_;
  }

 private:
  Mutex mu_;
  CondVar grown_;
  std::vector<std::uint64_t> published_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<PostgresTripStore> store_;  // Goes first: it calls the listener.
};

/// A PostgreSQL server of the test's own.
class PostgresStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = postgres::testing::PostgresServer::Start();
    ASSERT_THAT(server, ridestream::testing::IsOk());
    server_ = *std::move(server);
  }

  static postgres::Deadline Soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(30);
  }
  PostgresTripStore::Options Options() {
    return {.url = server_->Url(), .clock = clock_, .readers = 2};
  }
  std::unique_ptr<postgres::Connection> Connect(const std::string& database = "ridestream") {
    auto connection = postgres::Connection::Open(server_->Url(database), {}, Soon());
    EXPECT_THAT(connection, ridestream::testing::IsOk());
    return *std::move(connection);
  }
  /// One value, which is a number or a boolean.
  static std::int64_t QueryInt(postgres::Connection& connection, const std::string& sql) {
    connection.SendSql(sql);
    const auto results = connection.Sync(Soon());
    EXPECT_THAT(results, ridestream::testing::IsOk()) << sql;
    return results.ok() ? results->front().Int64(0, 0) : -1;
  }
  /// Repeats the query until its result is 1; the test's time bounds it.
  static void WaitUntilTrue(postgres::Connection& connection, const std::string& sql) {
    while (QueryInt(connection, sql) != 1) {
    }
  }

  /// A quote and a request for it: trip `id`, whose rider is named after it.
  absl::StatusOr<v1::Trip> Request(TripStore& store, const std::string& id,
                                   TripStore::Deadline deadline = TripStore::kNoDeadline) {
    const Time expires = clock_.Now() + std::chrono::minutes(5);
    absl::Status status = Await(store, SampleQuote("q-" + id, "r-" + id, expires));
    if (!status.ok()) return status;
    return Await(store, SampleRequest(id, "r-" + id, "q-" + id), deadline);
  }

  ManualClock clock_;
  std::unique_ptr<postgres::testing::PostgresServer> server_;
};

}  // namespace ridestream::trip::testing
