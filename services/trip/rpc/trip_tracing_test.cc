// The trace of the call that requested a trip goes along with the trip.

#include "gtest/gtest.h"
#include "libs/testing/status_matchers.h"
#include "libs/tracing/testing/recorded_spans.h"
#include "services/trip/testing/trip_server.h"

namespace ridestream::trip {
namespace {

using namespace testing;  // NOLINT: samples.
using ridestream::testing::IsOk;
using tracing::SpanData;
using tracing::SpanKind;

class TripTracingTest : public TripServerTest {
 protected:
  TripTracingTest() { spans_.Clear(); }

  tracing::testing::RecordedSpans& spans_ = tracing::testing::RecordedSpans::OfProcess();
};

TEST_F(TripTracingTest, TripNamesTheSpanOfItsRequestAlsoAfterARestart) {
  const v1::Trip trip = Request(kRider, "a");
  const SpanData request =
      spans_.Await(SpanKind::kServer, "ridestream.trip.v1.TripService/RequestTrip");
  EXPECT_EQ(trip.traceparent(), tracing::FormatTraceParent(request.context));
  StopServer();
  StartServer();
  const absl::StatusOr<v1::Trip> assigned = Assign(trip.trip_id(), "d", "o");
  ASSERT_THAT(assigned, IsOk());
  EXPECT_EQ(assigned->traceparent(), trip.traceparent());
}

}  // namespace
}  // namespace ridestream::trip
