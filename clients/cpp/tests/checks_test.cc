#include "clients/cpp/src/checks.h"

#include <gtest/gtest.h>

#include <limits>

#include "ridestream/client/errors.h"
#include "ridestream/client/place.h"

namespace ridestream::client {
namespace {

TEST(ChecksTest, InvalidValuesGetTheServicesMessage) {
  const struct {
    absl::Status error;
    std::string message;
  } kCases[] = {
      {CheckId("a b", "trip_id"),
       "trip_id: must be 1 to 64 characters of [A-Za-z0-9._:-], has 3 bytes"},
      {CheckId("", "trip_id"),
       "trip_id: must be 1 to 64 characters of [A-Za-z0-9._:-], has 0 bytes"},
      {CheckText("xxxxx", 4, "note"), "note: must have at most 4 characters"},
      {CheckText("a\x07", 4, "note"), "note: must not contain the control character U+0007"},
      {CheckText("\xE2\x80\xAE", 4, "note"), "note: must not contain the control character U+202E"},
      {CheckText("a\xff", 4, "note"), "note: must be valid UTF-8"},
      {CheckText("\xC3", 4, "note"), "note: must be valid UTF-8"},
      {CheckText("\xED\xA0\x80", 4, "note"), "note: must be valid UTF-8"},
      {CheckRange(9, 1, 8, "seats"), "seats: must be 1 to 8, is 9"},
      {CheckPlace(Place(91, 0), "pickup"),
       "pickup.lat_e7: must be -900000000 to 900000000, is 910000000"},
      {CheckPlace(Place(0, std::numeric_limits<double>::quiet_NaN()), "pickup"),
       "pickup.lng_e7: must be -1800000000 to 1800000000, is 2147483647"},
  };
  for (const auto& [error, message] : kCases) {
    EXPECT_EQ(error.message(), message);
    EXPECT_EQ(error.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(DetailsOf(error).kind, ErrorKind::kBeforeTheWire);
  }
}

TEST(ChecksTest, AcceptValuesThatTheServiceAccepts) {
  for (const absl::Status& status :
       {CheckId(std::string(64, 'x'), "id"), CheckText("éééé", 4, "note"),
        CheckText("\xF0\x9F\x9A\x95", 1, "note"), CheckText("", 4, "note"),
        CheckPlace(Place(-90, 180), "place")}) {
    EXPECT_EQ(status, absl::OkStatus());
  }
  EXPECT_EQ(Place(45.5, -30).lat_e7(), 455'000'000);
}

}  // namespace
}  // namespace ridestream::client
