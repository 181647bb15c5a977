// WatchTrip and ReportProgress, over the wire.

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "libs/proto_values/proto_values.h"
#include "libs/testing/status_matchers.h"
#include "services/trip/handlers/request_checks.h"
#include "services/trip/testing/trip_server.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;

class WatchTripTest : public TripServerTest {
 protected:
  struct Watcher {
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientReader<v1::WatchTripResponse>> reader;

    v1::WatchTripResponse Next() {
      v1::WatchTripResponse message;
      EXPECT_TRUE(reader->Read(&message)) << "the stream ended";
      return message;
    }
    absl::Status End() {
      v1::WatchTripResponse message;
      EXPECT_FALSE(reader->Read(&message)) << message.ShortDebugString();
      return rpc::FromGrpcStatus(reader->Finish());
    }
  };

  Watcher Watch(const rpc::Caller& caller, const std::string& trip_id) {
    v1::WatchTripRequest request;
    request.set_trip_id(trip_id);
    Watcher watcher{As(caller), nullptr};
    watcher.reader = stub_->WatchTrip(watcher.context.get(), request);
    return watcher;
  }

  static v1::ReportProgressRequest Report(const std::string& trip_id, std::uint32_t eta_s) {
    v1::ReportProgressRequest report;
    v1::TripProgress& entry = *report.add_trips();
    entry.set_trip_id(trip_id);
    entry.set_market(kMarket);
    *entry.mutable_progress()->mutable_driver_position() =
        ToProto(LatLng{407'000'000, -739'000'000});
    entry.mutable_progress()->set_eta_s(eta_s);
    entry.mutable_progress()->set_driver_status(v1::DRIVER_STATUS_CONNECTED);
    return report;
  }

  /// Sends one report on a stream of its own and half-closes it.
  absl::StatusOr<std::uint64_t> ReportOnce(const v1::ReportProgressRequest& report,
                                           const rpc::Caller& caller = kService) {
    v1::ReportProgressResponse response;
    const auto context = As(caller);
    const auto writer = stub_->ReportProgress(context.get(), &response);
    writer->Write(report);
    writer->WritesDone();
    const grpc::Status status = writer->Finish();
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response.received();
  }
};

TEST_F(WatchTripTest, RiderSeesEachStateFromRequestedToCompleted) {
  const std::string id = Request(kRider, "a").trip_id();
  Watcher watcher = Watch(kRider, id);
  EXPECT_EQ(watcher.Next().trip().state(), v1::TRIP_STATE_REQUESTED);
  ASSERT_THAT(Assign(id, "d", "o"), IsOk());
  const v1::WatchTripResponse assigned = watcher.Next();
  EXPECT_EQ(assigned.trip().driver().vehicle().plate(), "T123456C");
  EXPECT_FALSE(assigned.has_progress());
  for (const auto step :
       {v1::TRIP_STATE_ARRIVED, v1::TRIP_STATE_ABOARD, v1::TRIP_STATE_COMPLETED}) {
    ASSERT_THAT(AdvanceTo(id, step), IsOk());
    EXPECT_EQ(watcher.Next().trip().state(), step);
  }
  EXPECT_THAT(watcher.End(), IsOk());
}

TEST_F(WatchTripTest, ProgressComesWithTheTripUntilItNoLongerHolds) {
  const std::string id = Request(kRider, "a").trip_id();
  Watcher watcher = Watch(kRider, id);
  watcher.Next();
  ASSERT_THAT(ReportOnce(Report(id, 1)), IsOk());  // No driver yet: not passed on.
  ASSERT_THAT(Assign(id, "d", "o"), IsOk());
  EXPECT_FALSE(watcher.Next().has_progress());
  EXPECT_EQ(*ReportOnce(Report(id, 90)), 1u);
  const v1::WatchTripResponse on_the_way = watcher.Next();
  EXPECT_EQ(on_the_way.progress().eta_s(), 90u);
  EXPECT_EQ(on_the_way.progress().driver_status(), v1::DRIVER_STATUS_CONNECTED);
  EXPECT_EQ(on_the_way.trip().state(), v1::TRIP_STATE_ASSIGNED);
  ASSERT_THAT(AdvanceTo(id, v1::TRIP_STATE_ARRIVED), IsOk());
  EXPECT_EQ(watcher.Next().progress().eta_s(), 90u);
  ASSERT_THAT(AdvanceTo(id, v1::TRIP_STATE_ABOARD), IsOk());
  EXPECT_FALSE(watcher.Next().has_progress());  // That ETA was the pick-up's.
}

TEST_F(WatchTripTest, LostDriversProgressIsForgotten) {
  const std::string id = Request(kRider, "a").trip_id();
  ASSERT_THAT(Assign(id, "d", "o"), IsOk());
  Watcher watcher = Watch(kRider, id);
  watcher.Next();
  ASSERT_THAT(ReportOnce(Report(id, 90)), IsOk());
  EXPECT_TRUE(watcher.Next().has_progress());
  v1::ReleaseTripRequest release;
  release.set_trip_id(id);
  release.set_driver_id("d");
  release.set_reason(v1::RELEASE_REASON_DRIVER_LOST);
  ASSERT_THAT(Call(&Stub::ReleaseTrip, kService, release), IsOk());
  const v1::WatchTripResponse waiting = watcher.Next();
  EXPECT_EQ(waiting.trip().state(), v1::TRIP_STATE_REQUESTED);
  EXPECT_FALSE(waiting.has_progress());
}

TEST_F(WatchTripTest, EndedTripIsSentOnceAndTheStreamEnds) {
  const std::string id = Request(kRider, "a").trip_id();
  ASSERT_THAT(Cancel(kRider, id), IsOk());
  Watcher watcher = Watch(kOperator, id);
  EXPECT_EQ(watcher.Next().trip().state(), v1::TRIP_STATE_CANCELLED);
  EXPECT_THAT(watcher.End(), IsOk());
}

TEST_F(WatchTripTest, OthersMayNotWatch) {
  const std::string id = Request(kRider, "a").trip_id();
  EXPECT_THAT(Watch(kOtherRider, id).End(),
              StatusIs(absl::StatusCode::kPermissionDenied, "another rider's"));
  EXPECT_THAT(Watch(kDriver, id).End(),
              StatusIs(absl::StatusCode::kPermissionDenied, "isn't for driver"));
  EXPECT_THAT(Watch(kRider, "t-unknown").End(), StatusIs(absl::StatusCode::kNotFound, "t-unknown"));
  EXPECT_THAT(Watch(kRider, "").End(), StatusIs(absl::StatusCode::kInvalidArgument, "trip_id: "));
}

TEST_F(WatchTripTest, DrainEndsWatchersAndReportersWithUnavailable) {
  const std::string id = Request(kRider, "a").trip_id();
  ASSERT_THAT(Assign(id, "d", "o"), IsOk());
  Watcher watcher = Watch(kRider, id);
  watcher.Next();
  v1::ReportProgressResponse response;
  const auto context = As(kService);
  const auto writer = stub_->ReportProgress(context.get(), &response);
  ASSERT_TRUE(writer->Write(Report(id, 5)));
  watcher.Next();  // So the report's stream is known to the server.
  server_->Drain(std::chrono::seconds(20));
  EXPECT_THAT(watcher.End(), StatusIs(absl::StatusCode::kUnavailable, "stopping"));
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(WatchTripTest, BadReportsAreRefused) {
  EXPECT_THAT(ReportOnce(Report("t-unknown", 1)), IsOk());
  EXPECT_THAT(ReportOnce(Report("t", 1), kRider),
              StatusIs(absl::StatusCode::kPermissionDenied, "isn't for rider"));
  EXPECT_THAT(ReportOnce(Report("", 1)),
              StatusIs(absl::StatusCode::kInvalidArgument, "trips[0].trip_id"));
  v1::ReportProgressRequest of_no_market = Report("t", 1);
  of_no_market.mutable_trips(0)->clear_market();
  EXPECT_THAT(ReportOnce(of_no_market),
              StatusIs(absl::StatusCode::kInvalidArgument, "trips[0].market"));
  v1::ReportProgressRequest off_the_earth = Report("t", 1);
  off_the_earth.mutable_trips(0)->mutable_progress()->mutable_driver_position()->set_lat_e7(
      900'000'001);
  EXPECT_THAT(ReportOnce(off_the_earth), StatusIs(absl::StatusCode::kInvalidArgument,
                                                  "trips[0].progress.driver_position.lat_e7"));
  v1::ReportProgressRequest huge;
  for (int i = 0; i <= kMaxProgressEntries; ++i) huge.add_trips()->set_trip_id("t");
  EXPECT_THAT(ReportOnce(huge), StatusIs(absl::StatusCode::kInvalidArgument, "0 to 4096"));
}

}  // namespace
}  // namespace ridestream::trip
