#include "libs/proto_values/proto_values.h"

#include <gtest/gtest.h>

namespace ridestream {
namespace {

using namespace std::chrono_literals;

TEST(ProtoValuesTest, TimesRoundTripToTheMicrosecond) {
  struct Case {
    const char* name;
    Time time;
    std::int64_t seconds;
    std::int32_t nanos;
  };
  for (const Case& c : {Case{"the epoch", Time(), 0, 0},
                        {"after it", Time(1'500'001us), 1, 500'001'000},
                        {"just before it", Time(-1us), -1, 999'999'000},
                        {"before it", Time(-1s), -1, 0}}) {
    const google::protobuf::Timestamp proto = ToProto(c.time);
    EXPECT_EQ(proto.seconds(), c.seconds) << c.name;
    EXPECT_EQ(proto.nanos(), c.nanos) << c.name;
    EXPECT_EQ(FromProto(proto), c.time) << c.name;
  }
}

TEST(ProtoValuesTest, DurationsRoundTripToTheMicrosecond) {
  struct Case {
    Duration duration;
    std::int64_t seconds;
    std::int32_t nanos;
  };
  for (const Case& c : {Case{0us, 0, 0},
                        {1'500'001us, 1, 500'001'000},
                        {-1us, 0, -1'000},
                        {-1'500'000us, -1, -500'000'000}}) {
    const google::protobuf::Duration proto = ToProto(c.duration);
    EXPECT_EQ(proto.seconds(), c.seconds);
    EXPECT_EQ(proto.nanos(), c.nanos);
    EXPECT_EQ(FromProto(proto), c.duration);
  }
}

TEST(ProtoValuesTest, TruncatesToMicroseconds) {
  google::protobuf::Timestamp at;
  at.set_nanos(1'999);
  EXPECT_EQ(FromProto(at), Time(1us));
}

TEST(ProtoValuesTest, PlacesRoundTrip) {
  const LatLng place{-900'000'000, 1'799'999'999};
  EXPECT_EQ(ToProto(place).lat_e7(), place.lat_e7);
  EXPECT_EQ(FromProto(ToProto(place)), place);
}

}  // namespace
}  // namespace ridestream
