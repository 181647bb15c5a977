#include "services/gateway/rest/path_template.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::Pair;

std::optional<Variables> Match(std::string_view path, std::string_view text) {
  return PathTemplate::Parse(text)->Match(path);
}

TEST(PathTemplate, TakesVariablesFromSegments) {
  EXPECT_THAT(Match("/v1/trips/t-1", "/v1/trips/{trip_id}"),
              Optional(ElementsAre(Pair("trip_id", "t-1"))));
  EXPECT_THAT(Match("/v1/markets/a%20b/drivers:nearest", "/v1/markets/{market}/drivers:nearest"),
              Optional(ElementsAre(Pair("market", "a b"))));
  EXPECT_THAT(Match("/v1/trips/t%2F1:cancel", "/v1/trips/{trip_id}:cancel"),
              Optional(ElementsAre(Pair("trip_id", "t/1"))));
  EXPECT_THAT(Match("/v1/trips/a:b", "/v1/trips/{trip_id}"),
              Optional(ElementsAre(Pair("trip_id", "a:b"))));
}

TEST(PathTemplate, FitsWholePathsOnly) {
  for (const char* path :
       {"/v1/trips", "/v1/trips/", "/v1/trips/t/x", "/v2/trips/t", "/v1/trips/t/", "v1", "", "/"}) {
    EXPECT_EQ(Match(path, "/v1/trips/{trip_id}"), std::nullopt) << path;
  }
  for (const char* path : {"/v1/trips/t-1", "/v1/trips/t-1:abort", "/v1/trips/:cancel",
                           "/v1/trips/t-1cancel", "/v1/trips/t-1%3Acancel"}) {
    EXPECT_EQ(Match(path, "/v1/trips/{trip_id}:cancel"), std::nullopt) << path;
  }
}

TEST(PathTemplate, RefusesInvalidTemplates) {
  for (const char* text :
       {"", "v1/trips", "/v1//trips", "/v1/{a}{b}", "/v1/x{a}", "/v1/{}", "/v1/*", "/v1/trips:"}) {
    EXPECT_THAT(PathTemplate::Parse(text),
                testing::StatusIs(absl::StatusCode::kInvalidArgument, "path '"))
        << text;
  }
}

}  // namespace
}  // namespace ridestream::gateway
