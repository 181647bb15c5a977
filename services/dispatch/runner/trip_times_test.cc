#include "services/dispatch/runner/trip_times.h"

#include <gtest/gtest.h>

#include "libs/proto_values/proto_values.h"

namespace ridestream::dispatch {
namespace {

using namespace std::chrono_literals;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;

/// Calls `visit` for each time in the message, also those that aren't set.
template <class Visit>
void ForEachTime(Message& message, const Visit& visit) {
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_repeated()) continue;
    Message& inner = *reflection->MutableMessage(&message, field);
    if (field->message_type() == Timestamp::descriptor()) {
      visit(field->name(), dynamic_cast<Timestamp&>(inner));
    } else {
      ForEachTime(inner, visit);
    }
  }
}

TEST(TripTimesTest, MovesEachTimeOfATrip) {
  constexpr Time kAt = ScaledClock::kAnchor + 1h;
  for (const Duration by : {Duration(45'250'000), Duration(-700s), Duration(0)}) {
    trip::v1::Trip trip;
    int times = 0;
    ForEachTime(trip, [&](const std::string&, Timestamp& at) {
      at = ToProto(kAt);
      ++times;
    });
    ASSERT_GE(times, 8);
    ShiftTimes(by, trip);
    ForEachTime(trip, [&](const std::string& field, Timestamp& at) {
      EXPECT_EQ(FromProto(at), kAt + by) << field;
    });
  }
}

TEST(TripTimesTest, OmitsTimesOfFutureEvents) {
  trip::v1::Trip trip;
  *trip.mutable_requested_at() = ToProto(ScaledClock::kAnchor);
  ShiftTimes(1s, trip);
  EXPECT_EQ(FromProto(trip.requested_at()), ScaledClock::kAnchor + 1s);
  EXPECT_FALSE(trip.has_promise());
  EXPECT_FALSE(trip.has_arrived_at());
  EXPECT_FALSE(trip.has_ended_at());
}

}  // namespace
}  // namespace ridestream::dispatch
