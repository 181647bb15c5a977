#include "services/trip/trip_metrics.h"

#include <gtest/gtest.h>

#include <memory>

#include "libs/metrics/testing/scrape.h"
#include "prometheus/text_serializer.h"

namespace ridestream::trip {
namespace {

using metrics::testing::Sum;

/// A trip that was requested at 100 s and leaves the state REQUESTED for this one at 100 s +
/// `wait`.
v1::TripEvent LeavesRequested(v1::TripState state, int wait_s) {
  v1::TripEvent event;
  event.set_change(v1::TRIP_CHANGE_STATE);
  event.set_previous_state(v1::TRIP_STATE_REQUESTED);
  v1::Trip& trip = *event.mutable_trip();
  trip.set_state(state);
  trip.mutable_requested_at()->set_seconds(100);
  auto& until =
      state == v1::TRIP_STATE_ASSIGNED ? *trip.mutable_assigned_at() : *trip.mutable_ended_at();
  until.set_seconds(100 + wait_s);
  return event;
}

TEST(StoreMeterTest, ObservesHowLongEachTripWaitsForItsFirstDriver) {
  prometheus::Registry registry;
  StoreMeter meter(registry);
  v1::TripEvent second_driver = LeavesRequested(v1::TRIP_STATE_ASSIGNED, 90);
  second_driver.mutable_trip()->add_released_driver_ids("d-1");
  v1::TripEvent arrived = LeavesRequested(v1::TRIP_STATE_ARRIVED, 0);
  arrived.set_previous_state(v1::TRIP_STATE_ASSIGNED);
  v1::TripEvent cancelled_in_the_car = LeavesRequested(v1::TRIP_STATE_CANCELLED, 500);
  cancelled_in_the_car.set_previous_state(v1::TRIP_STATE_ARRIVED);
  std::vector<EventPtr> events;
  for (const v1::TripEvent& event :
       {LeavesRequested(v1::TRIP_STATE_ASSIGNED, 3), LeavesRequested(v1::TRIP_STATE_ASSIGNED, 60),
        LeavesRequested(v1::TRIP_STATE_ASSIGNED, 61), LeavesRequested(v1::TRIP_STATE_UNSERVED, 300),
        LeavesRequested(v1::TRIP_STATE_CANCELLED, 20), second_driver, arrived,
        cancelled_in_the_car}) {
    events.push_back(std::make_shared<v1::TripEvent>(event));
  }
  meter.Logged(events);

  const auto metrics =
      *metrics::testing::ParseMetrics(prometheus::TextSerializer().Serialize(registry.Collect()));
  const auto count = [&metrics](const char* outcome, const char* within) {
    return Sum(metrics, "trip_wait_seconds", {{"outcome", outcome}, {"le", within}});
  };
  EXPECT_EQ(count("assigned", "5"), 1);
  EXPECT_EQ(count("assigned", "60"), 2);
  EXPECT_EQ(count("assigned", "+Inf"), 3);
  EXPECT_EQ(count("unserved", "+Inf"), 1);
  EXPECT_EQ(count("cancelled", "60"), 1);
  EXPECT_EQ(count("cancelled", "+Inf"), 1);
}

TEST(StoreMeterTest, AWaitOfASampledRideHasItsTraceAsExemplar) {
  prometheus::Registry registry;
  StoreMeter meter(registry);
  v1::TripEvent sampled = LeavesRequested(v1::TRIP_STATE_ASSIGNED, 61);
  sampled.mutable_trip()->set_traceparent(
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  v1::TripEvent not_sampled = LeavesRequested(v1::TRIP_STATE_ASSIGNED, 3);
  not_sampled.mutable_trip()->set_traceparent(
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  meter.Logged({std::make_shared<v1::TripEvent>(sampled),
                std::make_shared<v1::TripEvent>(not_sampled),
                std::make_shared<v1::TripEvent>(LeavesRequested(v1::TRIP_STATE_ASSIGNED, 9))});

  const metrics::BucketExemplars* const waits =
      metrics::Exemplars::OfProcess().Find("trip_wait_seconds", {{"outcome", "assigned"}});
  ASSERT_NE(waits, nullptr);
  for (std::size_t bucket = 0; bucket <= 10; ++bucket) {
    const auto exemplar = waits->Find(bucket);
    // The eighth bucket ends at 120 s.
    ASSERT_EQ(exemplar.has_value(), bucket == 7) << bucket;
    if (!exemplar) continue;
    EXPECT_EQ(exemplar->trace.ToHex(), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(exemplar->value, 61);
  }
}

}  // namespace
}  // namespace ridestream::trip
