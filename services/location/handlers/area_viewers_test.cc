// Viewers over fake transports and timers, so the test decides when a write completes or a timer
// fires.

#include "services/location/handlers/area_viewers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/rpc/retry_after.h"
#include "libs/testing/manual_timers.h"
#include "libs/testing/status_matchers.h"
#include "services/location/testing/position_reports.h"

namespace ridestream::location {
namespace {

using namespace std::chrono_literals;
using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;
using ::testing::IsEmpty;
using testing::kHere;
using testing::ReportOf;
using ::testing::SizeIs;

constexpr char kWatchedMarket[] = "manhattan";

/// A viewer whose reads are controlled by the test.
class FakeViewer final : public AreaViewers::Writer {
 public:
  void Write(const v1::WatchAreaResponse& frame) override { frames_.push_back(frame); }
  void Finish(const absl::Status& status) override { status_ = status; }

  /// Ends the call as gRPC does.
  void Leave() {
    stream_->OnCancelled();
    stream_->OnDone();
  }

  std::shared_ptr<AreaViewers::Stream> stream_;
  std::vector<v1::WatchAreaResponse> frames_;
  std::optional<absl::Status> status_;
};

class AreaViewersTest : public ::testing::Test {
 protected:
  absl::Status Watch(FakeViewer& viewer) {
    const Area area{{kHere.lat_e7 - 100'000, kHere.lng_e7 - 100'000},
                    {kHere.lat_e7 + 100'000, kHere.lng_e7 + 100'000}};
    auto stream = viewers_.Open({kWatchedMarket, area, 500ms}, viewer);
    if (stream.ok()) viewer.stream_ = *stream;
    return stream.status();
  }
  void Apply(const PositionReport& report) {
    index_.Apply(kWatchedMarket, {&report, 1}, clock_.Now());
  }

  ManualClock clock_;
  ridestream::testing::ManualTimers timers_;
  LocationIndex index_{IndexOptions()};
  AreaViewers viewers_{index_, clock_, timers_, /*max_viewers=*/2};
};

TEST_F(AreaViewersTest, WaitsForThePauseBetweenTwoFrames) {
  Apply(ReportOf("a", kHere));
  FakeViewer viewer;
  ASSERT_THAT(Watch(viewer), IsOk());
  timers_.FireAll();
  ASSERT_THAT(viewer.frames_, SizeIs(1));
  EXPECT_TRUE(viewer.frames_[0].snapshot());
  EXPECT_EQ(viewer.frames_[0].drivers_size(), 1);
  EXPECT_EQ(timers_.waiting(), 0u) << "the viewer hasn't read the frame";
  Apply(ReportOf("b", kHere));
  viewer.stream_->OnWritten(true);
  EXPECT_THAT(viewer.frames_, SizeIs(1)) << "the pause isn't over";
  timers_.FireAll();
  ASSERT_THAT(viewer.frames_, SizeIs(2));
  EXPECT_FALSE(viewer.frames_[1].snapshot());
  ASSERT_EQ(viewer.frames_[1].drivers_size(), 1) << "what changed";
  EXPECT_EQ(viewer.frames_[1].drivers(0).driver_id(), "b");
  viewer.Leave();
}

TEST_F(AreaViewersTest, MakesNoFrameForAViewerWhoHasLeft) {
  FakeViewer viewer;
  ASSERT_THAT(Watch(viewer), IsOk());
  EXPECT_EQ(timers_.waiting(), 1u);
  viewer.Leave();
  EXPECT_EQ(timers_.waiting(), 0u);
  EXPECT_THAT(viewer.frames_, IsEmpty());
}

TEST_F(AreaViewersTest, RefusesAViewerBeyondTheLimitUntilOneLeaves) {
  FakeViewer first;
  FakeViewer second;
  FakeViewer third;
  ASSERT_THAT(Watch(first), IsOk());
  ASSERT_THAT(Watch(second), IsOk());
  const absl::Status refused = Watch(third);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted, "2 viewers"));
  EXPECT_EQ(rpc::RetryAfterOf(refused), 1'000ms);
  first.Leave();
  EXPECT_THAT(Watch(third), IsOk());
  second.Leave();
  third.Leave();
}

TEST_F(AreaViewersTest, ADrainEndsAllStreamsAndRefusesNewOnes) {
  FakeViewer waiting;
  FakeViewer reading;
  ASSERT_THAT(Watch(waiting), IsOk());
  ASSERT_THAT(Watch(reading), IsOk());
  timers_.FireAll();
  waiting.stream_->OnWritten(true);
  viewers_.Drain();
  ASSERT_TRUE(waiting.status_.has_value());
  EXPECT_THAT(*waiting.status_, StatusIs(absl::StatusCode::kUnavailable, "is shutting down"));
  EXPECT_FALSE(reading.status_.has_value()) << "a write is under way";
  reading.stream_->OnWritten(true);
  ASSERT_TRUE(reading.status_.has_value());
  EXPECT_THAT(*reading.status_, StatusIs(absl::StatusCode::kUnavailable, "is shutting down"));
  FakeViewer late;
  EXPECT_THAT(Watch(late), StatusIs(absl::StatusCode::kUnavailable, "is shutting down"));
  waiting.stream_->OnDone();
  reading.stream_->OnDone();
}

}  // namespace
}  // namespace ridestream::location
