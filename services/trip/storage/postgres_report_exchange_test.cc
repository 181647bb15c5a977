#include "services/trip/storage/postgres_report_exchange.h"

#include <fmt/format.h>
#include <signal.h>

#include <map>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "services/trip/testing/postgres_store_test.h"

namespace ridestream::trip {
namespace {

using ridestream::testing::IsOk;

constexpr std::uint64_t kCell = 0x89c2'5900'0000'0000;

/// An exchange as one process has it, with the newest that other processes reported.
class RecordedExchange {
 public:
  explicit RecordedExchange(const std::string& url) {
    auto exchange = PostgresReportExchange::Open(
        {.url = url,
         .on_progress =
             [this](const v1::ReportProgressRequest& report) {
               MutexLock lock(mu_);
               for (const v1::TripProgress& entry : report.trips()) {
                 EXPECT_EQ(entry.market(), "city");
                 EXPECT_EQ(entry.term(), 3u);
                 eta_s_[entry.trip_id()] = entry.progress().eta_s();
               }
               changed_.SignalAll();
             },
         .on_surge =
             [this](const v1::ReportSurgeRequest& report, Time at) {
               MutexLock lock(mu_);
               surge_[report.market()] = {report.cells(0).surge_percent(), at};
               changed_.SignalAll();
             },
         .on_failure =
             [this](const absl::Status& status) {
               MutexLock lock(mu_);
               failures_.push_back(status);
               changed_.SignalAll();
             }},
        std::chrono::steady_clock::now() + std::chrono::seconds(30));
    EXPECT_THAT(exchange, IsOk());
    exchange_ = *std::move(exchange);
  }
  PostgresReportExchange* operator->() { return exchange_.get(); }

  /// These wait; the test's time bounds them.
  std::map<std::string, std::uint32_t> WaitForTrips(size_t count) {
    MutexLock lock(mu_);
    while (eta_s_.size() < count) changed_.Wait(mu_);
    return eta_s_;
  }
  Time WaitForSurge(const std::string& market, std::uint32_t percent) {
    MutexLock lock(mu_);
    while (surge_[market].first != percent) changed_.Wait(mu_);
    return surge_[market].second;
  }
  absl::Status WaitForFailure() {
    MutexLock lock(mu_);
    while (failures_.empty()) changed_.Wait(mu_);
    return failures_.front();
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::map<std::string, std::uint32_t> eta_s_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::pair<std::uint32_t, Time>> surge_ ABSL_GUARDED_BY(mu_);
  std::vector<absl::Status> failures_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<PostgresReportExchange> exchange_;  // Goes first: it calls the callbacks.
};

v1::ReportProgressRequest Progress(int first, int count) {
  v1::ReportProgressRequest report;
  for (int i = first; i < first + count; ++i) {
    v1::TripProgress& entry = *report.add_trips();
    entry.set_trip_id(fmt::format("trip-{}", i));
    entry.set_market("city");
    entry.set_term(3);
    entry.mutable_progress()->set_eta_s(static_cast<std::uint32_t>(i) + 1);
  }
  return report;
}

v1::ReportSurgeRequest Surge(const std::string& market, std::uint32_t percent) {
  v1::ReportSurgeRequest report;
  report.set_market(market);
  v1::SurgeCell& cell = *report.add_cells();
  cell.set_s2_cell_id(kCell);
  cell.set_surge_percent(percent);
  return report;
}

class PostgresReportExchangeTest : public testing::PostgresStoreTest {
 protected:
  void SetUp() override {
    PostgresStoreTest::SetUp();
    ASSERT_THAT(PostgresTripStore::Open(Options()), IsOk());  // Makes the schema.
  }
  static Time At(int seconds) { return Time(std::chrono::seconds(seconds)); }
};

TEST_F(PostgresReportExchangeTest, PassesOnProgressOfMoreTripsThanANotificationHolds) {
  RecordedExchange a(server_->Url());
  RecordedExchange b(server_->Url());
  RecordedExchange c(server_->Url());
  constexpr int kTrips = 3'000;
  a->Share(Progress(0, kTrips));
  for (RecordedExchange* other : {&b, &c}) {
    const auto heard = other->WaitForTrips(kTrips);
    EXPECT_EQ(heard.size(), 1u * kTrips);
    EXPECT_EQ(heard.at("trip-7"), 8u);
  }
  b->Share(Progress(kTrips, 1));
  EXPECT_EQ(a.WaitForTrips(1).begin()->first, fmt::format("trip-{}", kTrips))
      << "a process gets only the reports of others";
}

TEST_F(PostgresReportExchangeTest, PassesOnTheNewestSurgeAlsoToAProcessThatStartsLater) {
  RecordedExchange a(server_->Url());
  RecordedExchange b(server_->Url());
  a->Share(Surge("city", 150), At(1));
  EXPECT_EQ(b.WaitForSurge("city", 150), At(1));
  b->Share(Surge("city", 200), At(3));
  EXPECT_EQ(a.WaitForSurge("city", 200), At(3));
  a->Share(Surge("city", 300), At(2));  // Late: it doesn't count.
  a->Share(Surge("other", 110), At(2));
  b.WaitForSurge("other", 110);
  RecordedExchange later(server_->Url());
  EXPECT_EQ(later.WaitForSurge("city", 200), At(3));
}

TEST_F(PostgresReportExchangeTest, KeepsNoSurgeOfATermThatIsOver) {
  {
    const auto store = *PostgresTripStore::Open(Options());
    for (int term = 1; term <= 2; ++term) {
      ASSERT_THAT(testing::Await(*store, testing::Acquire("city", "a")), IsOk());
    }
  }
  RecordedExchange a(server_->Url());
  RecordedExchange b(server_->Url());
  v1::ReportSurgeRequest report = Surge("city", 150);
  report.set_term(2);
  a->Share(report, At(1));
  b.WaitForSurge("city", 150);
  report = Surge("city", 200);
  report.set_term(1);
  a->Share(report, At(2));
  a->Share(Surge("other", 110), At(2));
  b.WaitForSurge("other", 110);  // Written after the one of the city.
  RecordedExchange later(server_->Url());
  EXPECT_EQ(later.WaitForSurge("city", 150), At(1));
}

TEST_F(PostgresReportExchangeTest, GoesOnAfterTheServerRestarted) {
  RecordedExchange a(server_->Url());
  RecordedExchange b(server_->Url());
  server_->Stop(SIGINT);
  EXPECT_FALSE(a.WaitForFailure().ok());
  EXPECT_FALSE(b.WaitForFailure().ok());
  a->Share(Surge("city", 150), At(1));
  ASSERT_THAT(server_->Restart(), IsOk());
  b.WaitForSurge("city", 150);
}

TEST_F(PostgresReportExchangeTest, LeavesOutWhatCannotBeRead) {
  ASSERT_THAT(server_->Execute("INSERT INTO surge VALUES ('edited', 1, 'by hand')"), IsOk());
  RecordedExchange a(server_->Url());
  EXPECT_THAT(a.WaitForFailure(),
              ridestream::testing::StatusIs(absl::StatusCode::kDataLoss, "table surge"));
  RecordedExchange b(server_->Url());
  ASSERT_THAT(server_->Execute("NOTIFY ridestream_trip_progress, 'no base64'"), IsOk());
  b->Share(Progress(0, 1));
  EXPECT_EQ(a.WaitForTrips(1).size(), 1u);
}

}  // namespace
}  // namespace ridestream::trip
