#include "services/exporter/domain/position_export.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "libs/proto_values/proto_values.h"
#include "ridestream/exporter/v1/exporter.pb.h"

namespace ridestream::exporter {
namespace {

using namespace std::chrono_literals;

class PositionExportTest : public ::testing::Test {
 protected:
  static location::v1::WatchAreaResponse Frame(int first, int count, int lat_e7 = 450'000'000) {
    location::v1::WatchAreaResponse frame;
    for (int i = first; i < first + count; ++i) {
      auto& driver = *frame.add_drivers();
      driver.set_driver_id(fmt::format("d-{}", i));
      driver.mutable_position()->set_lat_e7(lat_e7);
      driver.mutable_position()->set_lng_e7(-300'000'000);
      driver.set_state(location::v1::DRIVER_STATE_OCCUPIED);
      driver.set_free_seats(3);
      driver.set_heading_deg(90);
      driver.set_age_ms(1'500);
    }
    return frame;
  }

  absl::Status answer_;
  std::vector<Record> written_;
  PositionExport export_{[this](const std::vector<Record>& records) {
    if (answer_.ok()) written_.insert(written_.end(), records.begin(), records.end());
    return answer_;
  }};
  const Time now_{std::chrono::hours(1'000)};
};

TEST_F(PositionExportTest, RecordHoldsWhatLocationKnowsOfADriver) {
  EXPECT_EQ(export_.Step(), PositionExport::kIdle);
  export_.Add("city", Frame(1, 1), now_);
  EXPECT_EQ(export_.Step(), 0ns);
  ASSERT_EQ(written_.size(), 1u);
  EXPECT_EQ(written_[0].key, "d-1");
  v1::DriverPosition value;
  ASSERT_TRUE(value.ParseFromString(written_[0].value));
  EXPECT_EQ(value.market(), "city");
  EXPECT_EQ(value.driver_id(), "d-1");
  EXPECT_EQ(value.position().lat_e7(), 450'000'000);
  EXPECT_EQ(value.position().lng_e7(), -300'000'000);
  EXPECT_EQ(value.state(), location::v1::DRIVER_STATE_OCCUPIED);
  EXPECT_EQ(value.free_seats(), 3u);
  EXPECT_EQ(value.heading_deg(), 90u);
  EXPECT_EQ(FromProto(value.received_at()), now_ - 1500ms);
}

TEST_F(PositionExportTest, NewestPositionOfADriverReplacesTheQueuedOne) {
  export_.Add("city", Frame(1, 2, 1), now_);
  export_.Add("city", Frame(2, 2, 2), now_);
  EXPECT_EQ(export_.waiting(), 3u);
  export_.Step();
  ASSERT_EQ(written_.size(), 3u);
  v1::DriverPosition value;
  ASSERT_TRUE(value.ParseFromString(written_[1].value));
  EXPECT_EQ(value.driver_id(), "d-2");
  EXPECT_EQ(value.position().lat_e7(), 2);
  EXPECT_EQ(export_.counts().produced, 3u);
  EXPECT_EQ(export_.counts().dropped, 1u);
}

TEST_F(PositionExportTest, WriteThatFailsLosesItsPositionsAndPauses) {
  answer_ = absl::UnavailableError("no broker");
  export_.Add("city", Frame(1, 2), now_);
  EXPECT_EQ(export_.Step(), PositionExport::kPauseAfterError);
  EXPECT_EQ(export_.counts().dropped, 2u);
  answer_ = absl::OkStatus();
  export_.Add("city", Frame(3, 1), now_);
  EXPECT_EQ(export_.Step(), 0ns);
  ASSERT_EQ(written_.size(), 1u);
  EXPECT_EQ(written_[0].key, "d-3");
}

TEST_F(PositionExportTest, EachDriverGetsItsTurnThoughTheTopicIsSlow) {
  constexpr int kBatches = 3;
  constexpr int kDrivers = kBatches * static_cast<int>(PositionExport::kMaxBatch);
  for (int i = 0; i < kBatches; ++i) {
    export_.Add("city", Frame(0, kDrivers), now_);  // Comes more often than a batch is written.
    export_.Step();
  }
  std::set<std::string> drivers;
  for (const Record& record : written_) drivers.insert(record.key);
  EXPECT_EQ(drivers.size(), static_cast<std::size_t>(kDrivers));
}

TEST_F(PositionExportTest, DropsDriversBeyondTheBoundAndWritesInBatches) {
  constexpr int kMost = PositionExport::kMaxWaiting;
  export_.Add("city", Frame(0, kMost + 5), now_);
  EXPECT_EQ(export_.waiting(), PositionExport::kMaxWaiting);
  EXPECT_EQ(export_.counts().dropped, 5u);
  export_.Step();
  EXPECT_EQ(written_.size(), PositionExport::kMaxBatch);
}

}  // namespace
}  // namespace ridestream::exporter
