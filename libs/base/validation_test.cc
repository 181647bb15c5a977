#include "libs/base/validation.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "libs/testing/status_matchers.h"

namespace ridestream {
namespace {

using testing::IsOk;
using testing::StatusIs;
using namespace std::string_literals;

std::string Repeat(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

TEST(ValidateIdTest, AcceptsTheDocumentedCharactersUpTo64Bytes) {
  for (const std::string& good : {"a"s, "d-1"s, "r_2.x:Y"s, std::string(64, 'x')}) {
    EXPECT_THAT(ValidateId(good, "trip_id"), IsOk()) << good;
  }
}

TEST(ValidateIdTest, NamesTheFieldAndNeverRepeatsTheValue) {
  for (const std::string& bad : {""s, "a b"s, "ä"s, "a/b"s, "a\nb"s, "a\0b"s, "a\x1b[2J"s,
                                 std::string(65, 'x'), std::string(1 << 20, 'x')}) {
    const absl::Status status = ValidateId(bad, "trip_id");
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "trip_id: "));
    EXPECT_LT(status.message().size(), 100u);
  }
}

TEST(ValidateOptionalIdTest, AcceptsOnlyIdsAndNone) {
  EXPECT_THAT(ValidateOptionalId("", "market"), IsOk());
  EXPECT_THAT(ValidateOptionalId("city", "market"), IsOk());
  EXPECT_THAT(ValidateOptionalId("a b", "market"),
              StatusIs(absl::StatusCode::kInvalidArgument, "market"));
}

TEST(EscapeForbiddenTest, KeepsTextAndEscapesControlCharacters) {
  EXPECT_EQ(EscapeForbidden("ไม้ naïve 🙂"), "ไม้ naïve 🙂");
  EXPECT_EQ(EscapeForbidden("a\x1b[2J\n\u202eb\u0085"), "a\\u001b[2J\\u000a\\u202eb\\u0085");
  EXPECT_EQ(EscapeForbidden(std::string("\0", 1)), "\\u0000");
  EXPECT_EQ(EscapeForbidden("a\xff\xc3(b\x7f"), "a\xff\xc3(b\\u007f");
}

TEST(ValidateTextTest, CountsCharactersNotBytes) {
  for (const std::string& good :
       {""s, std::string(64, 'a'), Repeat("ส", 64), Repeat("த", 64), Repeat("🚕", 64)}) {
    EXPECT_THAT(ValidateText(good, kMaxNameCharacters, "rider_name"), IsOk()) << good;
  }
  for (const std::string& bad :
       {std::string(65, 'a'), Repeat("ส", 65), Repeat("🚕", 65), std::string(1 << 20, 'a')}) {
    EXPECT_THAT(ValidateText(bad, kMaxNameCharacters, "rider_name"),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         "rider_name: must have at most 64 characters"));
  }
}

TEST(ValidateTextTest, AcceptsJoinersAndMarksThatScriptsNeed) {
  EXPECT_THAT(
      ValidateText("क्‍ष می‌خواهم 👩‍🚒 \u200F", kMaxNameCharacters, "note"),
      IsOk());
}

TEST(ValidateTextTest, RefusesControlsAndDirectionOverrides) {
  struct Case {
    std::string text;
    const char* named;
  };
  for (const Case& c : std::vector<Case>{{"a\0b"s, "U+0000"},
                                         {"a\nb", "U+000A"},
                                         {"a\rb", "U+000D"},
                                         {"a\tb", "U+0009"},
                                         {"a\x1b[2Jb", "U+001B"},
                                         {"a\x7f", "U+007F"},
                                         {"\u0080", "U+0080"},
                                         {"\u009b2J", "U+009B"},
                                         {"a\u2028b", "U+2028"},
                                         {"a\u202ab", "U+202A"},
                                         {"a\u202eb", "U+202E"},
                                         {"a\u2066b", "U+2066"},
                                         {"a\u2069b", "U+2069"}}) {
    EXPECT_THAT(ValidateText(c.text, kMaxNameCharacters, "note"),
                StatusIs(absl::StatusCode::kInvalidArgument, c.named));
  }
}

TEST(ValidateTextTest, RefusesInvalidUtf8) {
  for (const std::string& bad :
       {"\xff"s, "a\xc3"s, "\x80"s, "\xc0\xaf"s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s}) {
    EXPECT_THAT(ValidateText(bad, kMaxNameCharacters, "note"),
                StatusIs(absl::StatusCode::kInvalidArgument, "note: must be valid UTF-8"));
  }
}

TEST(ValidateRangeTest, BothEndsAreWithin) {
  EXPECT_THAT(ValidateRange(1, 1, 8, "seats"), IsOk());
  EXPECT_THAT(ValidateRange(8, 1, 8, "seats"), IsOk());
  EXPECT_THAT(ValidateRange(0, 1, 8, "seats"),
              StatusIs(absl::StatusCode::kInvalidArgument, "seats: must be in 1 to 8, is 0"));
  EXPECT_THAT(ValidateRange(9, 1, 8, "seats"),
              StatusIs(absl::StatusCode::kInvalidArgument, "seats: must be in 1 to 8, is 9"));
}

TEST(ValidatePlaceTest, NamesTheInvalidCoordinate) {
  struct Case {
    LatLng place;
    const char* error;  // Empty: none.
  };
  const Case cases[] = {
      {{0, 0}, ""},
      {{900'000'000, 1'800'000'000}, ""},
      {{-900'000'000, -1'800'000'000}, ""},
      {{900'000'001, 0}, "pickup.lat_e7: must be in -900000000 to 900000000, is 900000001"},
      {{-900'000'001, 0}, "pickup.lat_e7: must be in -900000000 to 900000000, is -900000001"},
      {{0, 1'800'000'001}, "pickup.lng_e7: must be in -1800000000 to 1800000000, is 1800000001"},
      {{0, -1'800'000'001}, "pickup.lng_e7: must be in -1800000000 to 1800000000, is -1800000001"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ValidatePlace(c.place, "pickup").message(), c.error);
    EXPECT_EQ(ValidatePlace(c.place, "pickup").ok(), c.place.IsValid());
  }
  EXPECT_THAT(ValidatePlace(std::nullopt, "pickup"),
              StatusIs(absl::StatusCode::kInvalidArgument, "pickup: is missing"));
}

}  // namespace
}  // namespace ridestream
