#include "libs/rpc/audit_log.h"

#include <gtest/gtest.h>

#include <string>

#include "libs/testing/captured_log.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::rpc {
namespace {

std::size_t Count(const testing::CapturedLog& log, const std::string& part) {
  const std::string text = log.text();
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(AuditLogTest, NamesTheSubjectOfARequest) {
  trip::v1::ListTripsRequest list;
  EXPECT_EQ(NamedIds(list), "");
  list.set_rider_id("ada");
  list.set_market("city");
  EXPECT_EQ(NamedIds(list), "rider_id:ada,market:city");

  trip::v1::FollowTripsRequest follow;
  for (int i = 0; i < 1'000; ++i) follow.add_markets("m-" + std::to_string(i));
  EXPECT_EQ(NamedIds(follow), "markets:m-0,markets:m-1,markets:m-2,markets:m-3");
}

TEST(AuditLogTest, OmitsInvalidIds) {
  trip::v1::GetTripRequest get;
  for (const std::string& text : {std::string("t 1"), std::string("t\n1"), std::string("t=1"),
                                  std::string(65, 't'), std::string("caf\xc3\xa9")}) {
    get.set_trip_id(text);
    EXPECT_EQ(NamedIds(get), "");
  }
  trip::v1::RequestTripRequest request;
  request.set_request_id("a-secret-of-the-client");
  EXPECT_EQ(NamedIds(request), "");
}

TEST(AuditLogTest, WritesALineForEachCallUpToABoundAndCountsTheRest) {
  const testing::CapturedLog log;
  const AuditedCall call{"S.Get", "rider/eve", "trip_id:t-1", "ipv4:192.0.2.7:5"};
  LogRefusedCall(call, absl::PermissionDeniedError("trip t-1 is another rider's"));
  EXPECT_NE(log.text().find("call_refused method=S.Get caller=rider/eve about=trip_id:t-1 "
                            "peer=ipv4:192.0.2.7:5 "
                            "error=\"PERMISSION_DENIED: trip t-1 is another rider's\""),
            std::string::npos)
      << log.text();
  // A flood of one kind doesn't affect the other.
  for (int i = 0; i < 5'000; ++i) LogRefusedCall(call, absl::UnauthenticatedError("no"));
  EXPECT_GE(Count(log, "call_refused"), 1'000u);
  EXPECT_LT(Count(log, "call_refused"), 2'500u);
  LogPrivilegedCall({"S.List", "operator/ada", "", "ipv4:192.0.2.8:5"});
  EXPECT_EQ(Count(log, "call_privileged method=S.List caller=operator/ada peer="), 1u);
  // The test's timeout bounds the loop.
  while (Count(log, "left_out=") == 0) LogRefusedCall(call, absl::UnauthenticatedError("no"));
}

}  // namespace
}  // namespace ridestream::rpc
