#include "services/gateway/http/message.h"

#include <gtest/gtest.h>

#include <optional>
#include <string_view>

namespace ridestream::gateway {
namespace {

TEST(MessageTest, FindsACookieOfExactlyThatName) {
  const struct {
    Headers headers;
    std::optional<std::string_view> value;
  } kCases[] = {
      {{}, std::nullopt},
      {{{"cookie", ""}}, std::nullopt},
      {{{"cookie", "id=1"}}, "1"},
      {{{"Cookie", "a=b; id=1;c=d"}}, "1"},
      {{{"cookie", " \tid=1 \t;;"}}, "1"},
      {{{"cookie", "id="}}, ""},
      {{{"cookie", "id=a=b"}}, "a=b"},
      {{{"cookie", "a=b"}, {"x", "id=0"}, {"cookie", "id=1"}}, "1"},
      {{{"cookie", "id"}}, std::nullopt},
      {{{"cookie", "id =1"}}, std::nullopt},
      {{{"cookie", "ID=1"}}, std::nullopt},
      {{{"cookie", "id-7000=1; xid=2; __Host-id=3; =id=4"}}, std::nullopt},
      {{{"cookie", "id=1; id=2"}}, std::nullopt},
      {{{"cookie", "id=1; id=1"}}, std::nullopt},
      {{{"cookie", "id=1"}, {"cookie", "id=2"}}, std::nullopt},
  };
  for (const auto& [headers, value] : kCases) {
    EXPECT_EQ(FindCookie(headers, "id"), value) << headers.Get("cookie");
  }
}

}  // namespace
}  // namespace ridestream::gateway
