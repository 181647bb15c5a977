#include "services/gateway/call/metadata.h"

#include <gtest/gtest.h>

#include "libs/testing/status_matchers.h"

namespace ridestream::gateway {
namespace {

using absl::StatusCode;
using testing::StatusIs;
using namespace std::chrono_literals;

TEST(Metadata, IsWhatIsNotTheBrowsersOrHttps) {
  const auto metadata = MetadataFromHeaders({{"Host", "a"},
                                             {"User-Agent", "b"},
                                             {"Sec-Fetch-Mode", "cors"},
                                             {"Accept-Language", "de"},
                                             {"Cookie", "secret"},
                                             {"grpc-timeout", "1S"},
                                             {"Ridestream-Caller", "rider/r-17"},
                                             {"Authorization", "Bearer x"}});
  ASSERT_THAT(metadata, testing::IsOk());
  EXPECT_EQ(metadata->Get("ridestream-caller"), "rider/r-17");
  EXPECT_EQ(metadata->Get("authorization"), "Bearer x");
  EXPECT_EQ(std::distance(metadata->begin(), metadata->end()), 2);
}

TEST(Metadata, HasBytesUnderNamesThatSaySo) {
  const auto metadata = MetadataFromHeaders({{"trace-bin", "AP8B"}});
  ASSERT_THAT(metadata, testing::IsOk());
  EXPECT_EQ(metadata->Get("trace-bin"), std::string_view("\0\xff\1", 3));
  EXPECT_EQ(HeadersFromMetadata({{"trace-bin", {"\0\xff\1", 3}}}).Get("trace-bin"), "AP8B");
}

TEST(Metadata, RefusesWhatGrpcCanNotCarry) {
  EXPECT_THAT(MetadataFromHeaders({{"note", "caf\xc3\xa9"}}),
              StatusIs(StatusCode::kInvalidArgument, "'note'"));
  EXPECT_THAT(MetadataFromHeaders({{"a!b", "c"}}), StatusIs(StatusCode::kInvalidArgument, "'a!b'"));
  EXPECT_THAT(MetadataFromHeaders({{"trace-bin", "***"}}),
              StatusIs(StatusCode::kInvalidArgument, "'trace-bin': is no base64"));
}

TEST(Timeout, ComesInAllUnits) {
  const auto timeout = [](const char* text) {
    return **TimeoutFromHeaders({{"grpc-timeout", text}});
  };
  EXPECT_EQ(timeout("2H"), 2h);
  EXPECT_EQ(timeout("3M"), 3min);
  EXPECT_EQ(timeout("5S"), 5s);
  EXPECT_EQ(timeout("1500m"), 1500ms);
  EXPECT_EQ(timeout("7u"), 7us);
  EXPECT_EQ(timeout("99999999n"), 99999999ns);
  EXPECT_GT(timeout("99999999H"), 24h * 300) << "as long as can be told, not overflowed";
  EXPECT_FALSE(TimeoutFromHeaders({})->has_value());
}

TEST(Timeout, IsRefusedWhenItIsNone) {
  for (const char* text : {"", "S", "5", "-5S", "1.5S", "123456789S", "5s", "5 S"}) {
    EXPECT_THAT(TimeoutFromHeaders({{"grpc-timeout", text}}),
                StatusIs(StatusCode::kInvalidArgument, "grpc-timeout"))
        << text;
  }
}

}  // namespace
}  // namespace ridestream::gateway
