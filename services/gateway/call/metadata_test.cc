#include "services/gateway/call/metadata.h"

#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::gateway {
namespace {

using absl::StatusCode;
using testing::StatusIs;
using namespace std::chrono_literals;

TEST(Metadata, HoldsOnlyNamesOnTheAllowList) {
  const auto metadata = MetadataFromHeaders({{"Host", "a"},
                                             {"User-Agent", "b"},
                                             {"Cookie", "secret"},
                                             {"grpc-timeout", "1S"},
                                             {"grpclb_client_stats", "x"},
                                             {"lb-cost-bin", "AP8B"},
                                             {"endpoint-load-metrics-bin", "AP8B"},
                                             {"a!b", "c"},
                                             {":path", "/"},
                                             {"note", "caf\xc3\xa9"},
                                             {"Ridestream-Caller", "rider/r-17"},
                                             {"Ridestream-Market", "porto"},
                                             {"Authorization", "Bearer x"}});
  ASSERT_THAT(metadata, testing::IsOk());
  EXPECT_EQ(metadata->Get("ridestream-caller"), "rider/r-17");
  EXPECT_EQ(metadata->Get("ridestream-market"), "porto");
  EXPECT_EQ(metadata->Get("authorization"), "Bearer x");
  EXPECT_EQ(std::distance(metadata->begin(), metadata->end()), 3);
}

TEST(Metadata, EncodesBytesOfAnswersAsBase64) {
  EXPECT_EQ(HeadersFromMetadata({{"trace-bin", {"\0\xff\1", 3}}}).Get("trace-bin"), "AP8B");
}

TEST(Metadata, RefusesValuesThatGrpcCanNotCarry) {
  EXPECT_THAT(MetadataFromHeaders({{"ridestream-caller", "rider/caf\xc3\xa9"}}),
              StatusIs(StatusCode::kInvalidArgument, "'ridestream-caller'"));
}

TEST(Metadata, RefusesACallerThatIsNamedTwice) {
  for (const char* name : {"ridestream-caller", "Ridestream-Caller", "authorization"}) {
    EXPECT_THAT(MetadataFromHeaders({{name, "rider/a"}, {absl::AsciiStrToLower(name), "rider/a"}}),
                StatusIs(StatusCode::kUnauthenticated, "more than once"))
        << name;
  }
}

TEST(Metadata, RefusesOtherFieldsThatComeTwice) {
  for (const char* name : {"grpc-timeout", "x-request-id", "idempotency-key", "last-event-id",
                           "content-type", "traceparent", "ridestream-market"}) {
    EXPECT_THAT(CallOptionsFromHeaders({{name, "1S"}, {name, "1S"}}).status(),
                StatusIs(StatusCode::kInvalidArgument, name));
  }
}

TEST(Metadata, IsBoundedInAll) {
  const std::string half(1900, 'x');
  EXPECT_THAT(MetadataFromHeaders({{"authorization", half}, {"tracestate", half}}),
              testing::IsOk());
  EXPECT_THAT(MetadataFromHeaders({{"authorization", half}, {"tracestate", half + half}}),
              StatusIs(StatusCode::kInvalidArgument, "'tracestate'"));
  EXPECT_THAT(MetadataFromHeaders({{"ridestream-caller", std::string(9000, 'x')}}),
              StatusIs(StatusCode::kInvalidArgument, "4096 bytes"));
}

TEST(Timeout, AcceptsAllUnits) {
  const auto timeout = [](const char* text) {
    return **TimeoutFromHeaders({{"grpc-timeout", text}});
  };
  EXPECT_EQ(timeout("2H"), 2h);
  EXPECT_EQ(timeout("3M"), 3min);
  EXPECT_EQ(timeout("5S"), 5s);
  EXPECT_EQ(timeout("1500m"), 1500ms);
  EXPECT_EQ(timeout("7u"), 7us);
  EXPECT_EQ(timeout("99999999n"), 99999999ns);
  EXPECT_GT(timeout("99999999H"), 24h * 300) << "the largest value that fits, without an overflow";
  EXPECT_FALSE(TimeoutFromHeaders({})->has_value());
}

TEST(Timeout, IsRefusedWhenInvalid) {
  for (const char* text : {"", "S", "5", "-5S", "1.5S", "123456789S", "5s", "5 S"}) {
    EXPECT_THAT(TimeoutFromHeaders({{"grpc-timeout", text}}),
                StatusIs(StatusCode::kInvalidArgument, "grpc-timeout"))
        << text;
  }
}

}  // namespace
}  // namespace ridestream::gateway
