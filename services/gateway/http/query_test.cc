#include "services/gateway/http/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ridestream::gateway {
namespace {

TEST(QueryTest, ReadsParametersInTheirOrder) {
  const struct {
    std::string_view query;
    std::vector<std::pair<std::string, std::string>> parameters;
  } kCases[] = {
      {"", {}},
      {"&&", {}},
      {"a=1&b=2", {{"a", "1"}, {"b", "2"}}},
      {"&a=1&&b=2&", {{"a", "1"}, {"b", "2"}}},
      {"b=2&a=1&b=3", {{"b", "2"}, {"a", "1"}, {"b", "3"}}},
      {"a", {{"a", ""}}},
      {"a=", {{"a", ""}}},
      {"=1", {{"", "1"}}},
      {"a=b=c", {{"a", "b=c"}}},
      {"a+b=c+d", {{"a b", "c d"}}},
      {"%61%3D=%26%2b%25", {{"a=", "&+%"}}},
      {"a=%C3%A9%00", {{"a", std::string("\xC3\xA9\0", 3)}}},
      {"a=%&b=%4&c=%zz", {{"a", "%"}, {"b", "%4"}, {"c", "%zz"}}},
  };
  for (const auto& [query, parameters] : kCases) {
    EXPECT_EQ(ParseQuery(query), parameters) << query;
  }
}

}  // namespace
}  // namespace ridestream::gateway
