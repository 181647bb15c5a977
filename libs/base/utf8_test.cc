#include "libs/base/utf8.h"

#include <gtest/gtest.h>

namespace ridestream {
namespace {

TEST(TakeCodePointTest, ReadsEachLength) {
  std::string_view text = "aä€🚕";
  EXPECT_EQ(TakeCodePoint(text), U'a');
  EXPECT_EQ(TakeCodePoint(text), U'ä');
  EXPECT_EQ(TakeCodePoint(text), U'€');
  EXPECT_EQ(TakeCodePoint(text), U'🚕');
  EXPECT_EQ(TakeCodePoint(text), std::nullopt);
}

TEST(Utf8PrefixTest, NeverSplitsACharacter) {
  EXPECT_EQ(Utf8Prefix("abc", 3), "abc");
  EXPECT_EQ(Utf8Prefix("abc", 2), "ab");
  EXPECT_EQ(Utf8Prefix("a€b", 4), "a€");
  EXPECT_EQ(Utf8Prefix("a€b", 3), "a");
  EXPECT_EQ(Utf8Prefix("a🚕b", 4), "a");
  EXPECT_EQ(Utf8Prefix("€", 0), "");
}

TEST(Utf8PrefixTest, StaysWithinTheBoundForBytesThatAreNoUtf8) {
  EXPECT_EQ(Utf8Prefix("\x80\x80\x80\x80\x80\x80\x80\x80", 6).size(), 3u);
}

}  // namespace
}  // namespace ridestream
