// The handlers over fake transports with real threads. Tests in rpc/ cover them with gRPC.

#include "services/location/handlers/location_handlers.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/timer_queue.h"
#include "libs/server_streams/testing/reading_client.h"
#include "libs/server_streams/testing/sending_client.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::location {
namespace {

using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using Reporter =
    streams::testing::SendingClient<v1::ReportPositionsRequest, v1::ReportPositionsResponse>;
using Viewer = streams::testing::ReadingClient<v1::WatchAreaResponse>;

constexpr char kMarket[] = "manhattan";
constexpr std::int32_t kLatE7 = 407'500'000;
constexpr std::int32_t kLngE7 = -739'500'000;

v1::ReportPositionsRequest BatchOf(const std::vector<std::string>& drivers,
                                   std::uint64_t sequence = 1) {
  v1::ReportPositionsRequest batch;
  batch.set_market(kMarket);
  for (const std::string& driver : drivers) {
    v1::PositionReport& position = *batch.add_positions();
    position.set_driver_id(driver);
    position.set_session_epoch(1);
    position.set_sequence(sequence);
    position.set_lat_e7(kLatE7);
    position.set_lng_e7(kLngE7);
    position.set_state(v1::DRIVER_STATE_IDLE);
    position.set_free_seats(4);
  }
  return batch;
}

v1::FindNearestRequest Nearest(int queries, std::uint32_t limit) {
  v1::FindNearestRequest request;
  request.set_market(kMarket);
  for (int i = 0; i < queries; ++i) {
    v1::NearestQuery& query = *request.add_queries();
    query.mutable_center()->set_lat_e7(kLatE7);
    query.mutable_center()->set_lng_e7(kLngE7);
    query.set_radius_m(2'000);
    query.set_limit(limit);
  }
  return request;
}

v1::WatchAreaRequest AroundHere() {
  v1::WatchAreaRequest request;
  request.set_market(kMarket);
  request.mutable_south_west()->set_lat_e7(kLatE7 - 100'000);
  request.mutable_south_west()->set_lng_e7(kLngE7 - 100'000);
  request.mutable_north_east()->set_lat_e7(kLatE7 + 100'000);
  request.mutable_north_east()->set_lng_e7(kLngE7 + 100'000);
  request.set_interval_ms(100);
  return request;
}

class LocationHandlersTest : public ::testing::Test {
 protected:
  void Report(Reporter& reporter) {
    const auto stream = handlers_.ReportPositions(reporter);
    ASSERT_THAT(stream, IsOk());
    reporter.Attach(*stream);
  }
  /// Returns after the batch is in the index.
  void Apply(v1::ReportPositionsRequest batch) {
    Reporter reporter;
    Report(reporter);
    reporter.Send(std::move(batch));
    reporter.HalfClose();
    ASSERT_THAT(reporter.AwaitEnd().status, IsOk());
  }

  ManualClock clock_;
  TimerQueue timers_;
  std::atomic<size_t> measured_ = 0;
  LocationHandlers handlers_{
      {.config = {.max_viewers = 8},
       .clock = clock_,
       .timers = timers_,
       .on_batch = [this](size_t positions, std::chrono::nanoseconds) { measured_ += positions; }}};
};

TEST_F(LocationHandlersTest, CountsTheOutcomesOfAStreamsPositions) {
  Reporter reporter;
  Report(reporter);
  reporter.Send(BatchOf({"a", "b"}, 2));
  reporter.Send(BatchOf({"a", ""}, 1));
  reporter.HalfClose();
  const Reporter::End end = reporter.AwaitEnd();
  EXPECT_THAT(end.status, IsOk());
  EXPECT_EQ(end.response.applied(), 2u);
  EXPECT_EQ(end.response.superseded(), 1u);
  EXPECT_EQ(end.response.rejected(), 1u);
  EXPECT_EQ(measured_, 4u);
  v1::GetIndexStatsRequest request;
  request.set_market(kMarket);
  const auto stats = handlers_.GetIndexStats(request);
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->drivers(), 2u);
  EXPECT_EQ(stats->applied(), 2u);
}

TEST_F(LocationHandlersTest, EndsAStreamWhoseBatchIsWrongWithTheFieldsName) {
  Reporter reporter;
  Report(reporter);
  reporter.Send(v1::ReportPositionsRequest());
  EXPECT_THAT(reporter.AwaitEnd().status, StatusIs(absl::StatusCode::kInvalidArgument, "market"));
}

TEST_F(LocationHandlersTest, NamesTheFieldOfAQuestionThatIsWrong) {
  EXPECT_THAT(handlers_.FindNearest({}, Nearest(1, 0)),
              StatusIs(absl::StatusCode::kInvalidArgument, "queries[0].limit"));
  EXPECT_THAT(handlers_.GetIndexStats({}), StatusIs(absl::StatusCode::kInvalidArgument, "market"));
  Viewer viewer;
  EXPECT_THAT(handlers_.WatchArea({}, viewer),
              StatusIs(absl::StatusCode::kInvalidArgument, "market"));
}

TEST_F(LocationHandlersTest, StopsSearchingForACallerWhoHasGone) {
  Apply(BatchOf({"a"}));
  int looks = 0;
  const LocationHandlers::Call call{.is_cancelled = [&] { return ++looks > 1; }};
  EXPECT_THAT(handlers_.FindNearest(call, Nearest(LocationIndex::kQueriesPerLock, 1)), IsOk());
  looks = 0;
  EXPECT_THAT(handlers_.FindNearest(call, Nearest(LocationIndex::kQueriesPerLock + 1, 1)),
              StatusIs(absl::StatusCode::kCancelled, "caller cancelled"));
}

TEST_F(LocationHandlersTest, ADrainEndsAllStreamsAndRefusesNewOnes) {
  Reporter reporter;
  Report(reporter);
  Viewer viewer;
  const auto watched = handlers_.WatchArea(AroundHere(), viewer);
  ASSERT_THAT(watched, IsOk());
  viewer.Attach(*watched);
  (void)viewer.Await(1);
  handlers_.Drain();
  EXPECT_THAT(reporter.AwaitEnd().status, StatusIs(absl::StatusCode::kUnavailable, "again"));
  EXPECT_THAT(viewer.AwaitEnd(), StatusIs(absl::StatusCode::kUnavailable, "again"));
  Reporter late_reporter;
  EXPECT_THAT(handlers_.ReportPositions(late_reporter),
              StatusIs(absl::StatusCode::kUnavailable, "is shutting down"));
  Viewer late_viewer;
  EXPECT_THAT(handlers_.WatchArea(AroundHere(), late_viewer),
              StatusIs(absl::StatusCode::kUnavailable, "is shutting down"));
}

TEST_F(LocationHandlersTest, AnswersWhileManyReport) {
  constexpr int kReporters = 3;
  constexpr int kBatches = 50;
  constexpr int kDriversEach = 20;
  std::vector<std::thread> reporters;
  for (int r = 0; r < kReporters; ++r) {
    reporters.emplace_back([this, r] {
      std::vector<std::string> drivers;
      for (int i = 0; i < kDriversEach; ++i) drivers.push_back(fmt::format("d-{}-{}", r, i));
      Reporter reporter;
      Report(reporter);
      for (std::uint64_t i = 1; i <= kBatches; ++i) reporter.Send(BatchOf(drivers, i));
      reporter.HalfClose();
      const Reporter::End end = reporter.AwaitEnd();
      EXPECT_THAT(end.status, IsOk());
      EXPECT_EQ(end.response.applied(), std::uint64_t{kBatches * kDriversEach});
    });
  }
  int found = 0;
  while (found < kReporters * kDriversEach) {
    const auto answer = handlers_.FindNearest({}, Nearest(2, 1'000));
    ASSERT_THAT(answer, IsOk());
    ASSERT_EQ(answer->results_size(), 2);
    ASSERT_EQ(answer->results(0).drivers_size(), answer->results(1).drivers_size())
        << "both are of one instant";
    ASSERT_GE(answer->results(0).drivers_size(), found) << "nobody disappears";
    found = answer->results(0).drivers_size();
  }
  for (std::thread& reporter : reporters) reporter.join();
  EXPECT_EQ(measured_, size_t{kReporters * kBatches * kDriversEach});
}

TEST_F(LocationHandlersTest, ForgetsViewersWhoComeAndGoWhileDriversMove) {
  std::atomic<bool> done = false;
  std::thread driver([&] {
    for (std::uint64_t sequence = 1; !done; ++sequence) Apply(BatchOf({"a", "b"}, sequence));
  });
  std::vector<std::thread> viewers;
  for (int v = 0; v < 4; ++v) {
    viewers.emplace_back([this] {
      for (int round = 0; round < 20; ++round) {
        Viewer viewer;
        // The number of viewers is limited.
        const auto stream = handlers_.WatchArea(AroundHere(), viewer);
        ASSERT_THAT(stream, IsOk());
        viewer.Attach(*stream);
        EXPECT_TRUE(viewer.Await(1)[0].snapshot());
        viewer.Cancel();
        EXPECT_THAT(viewer.AwaitEnd(), StatusIs(absl::StatusCode::kCancelled, ""));
      }
    });
  }
  for (std::thread& viewer : viewers) viewer.join();
  done = true;
  driver.join();
}

}  // namespace
}  // namespace ridestream::location
