#include "services/gateway/grpc_web/frame.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::gateway {
namespace {

using absl::StatusCode;
using testing::StatusIs;

TEST(Frame, CarriesOneMessage) {
  const std::string frame = DataFrame("hello");
  EXPECT_EQ(frame, std::string("\0\0\0\0\5hello", 10));
  EXPECT_EQ(*OneMessage(frame), "hello");
  EXPECT_EQ(*OneMessage(DataFrame("")), "");
  EXPECT_EQ(OneMessage(DataFrame(std::string(70'000, 'x')))->size(), 70'000U);
}

TEST(Frame, NamesTheFaultOfAnInvalidFrame) {
  const std::string frame = DataFrame("hello");
  EXPECT_THAT(OneMessage(""), StatusIs(StatusCode::kInvalidArgument, "got 0"));
  EXPECT_THAT(OneMessage(frame.substr(0, 4)), StatusIs(StatusCode::kInvalidArgument, "got 4"));
  EXPECT_THAT(OneMessage(frame.substr(0, 8)),
              StatusIs(StatusCode::kInvalidArgument, "announces 5 bytes, but 3 follow"));
  EXPECT_THAT(OneMessage(std::string("\0\xff\xff\xff\xffhello", 10)),
              StatusIs(StatusCode::kInvalidArgument, "announces 4294967295 bytes, but 5 follow"));
  EXPECT_THAT(OneMessage(frame + frame),
              StatusIs(StatusCode::kInvalidArgument, "takes one message"));
  EXPECT_THAT(OneMessage(std::string("\1\0\0\0\0", 5)),
              StatusIs(StatusCode::kUnimplemented, "compressed"));
  EXPECT_THAT(OneMessage(std::string("\x80\0\0\0\0", 5)),
              StatusIs(StatusCode::kInvalidArgument, "flags 0x80"));
}

TEST(Frame, HasTheStatusOfACall) {
  const std::string frame =
      TrailersFrame(absl::NotFoundError("100 % gone: \xc3\xa9\n"), {{"retry-after-ms", "5"}});
  EXPECT_EQ(frame[0], '\x80');
  EXPECT_EQ(frame.substr(kFrameHeader),
            "grpc-status: 5\r\ngrpc-message: 100 %25 gone: %C3%A9\\u000a\r\nretry-after-ms: 5\r\n");
  EXPECT_EQ(TrailersFrame(absl::OkStatus(), {}).substr(kFrameHeader), "grpc-status: 0\r\n");
}

TEST(Base64, MayComeInPieces) {
  const std::string two = absl::Base64Escape("one") + absl::Base64Escape("and two");
  EXPECT_EQ(*DecodePieces(two), "oneand two");
  EXPECT_EQ(*DecodePieces(absl::Base64Escape("a") + absl::Base64Escape("b")), "ab");
  EXPECT_EQ(*DecodePieces(""), "");
  EXPECT_THAT(DecodePieces("no base64!"), StatusIs(StatusCode::kInvalidArgument, "base64"));
}

}  // namespace
}  // namespace ridestream::gateway
