#include "tests/bench/http2/frame_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <string>
#include <utility>
#include <vector>

#include "libs/testing/status_matchers.h"

namespace ridestream::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

/// What libnghttp2's own client sends for two equal requests.
std::string BytesOfTwoRequests() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session* session = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_client_new(&session, callbacks, nullptr);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry setting{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 70'000};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &setting, 1);
  nghttp2_submit_window_update(session, NGHTTP2_FLAG_NONE, 0, 1'234);
  const auto field = [](std::string_view name, std::string_view value) {
    return nghttp2_nv{reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                      reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                      value.size(), NGHTTP2_NV_FLAG_NONE};
  };
  const nghttp2_nv fields[] = {field(":method", "POST"), field(":scheme", "http"),
                               field(":path", "/a.B/C"), field("x-name", "a value of some length")};
  for (int i = 0; i < 2; ++i) nghttp2_submit_request(session, nullptr, fields, 4, nullptr, nullptr);
  nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_ENHANCE_YOUR_CALM, nullptr, 0);
  std::string bytes;
  const std::uint8_t* part = nullptr;
  for (ssize_t size = 0; (size = nghttp2_session_mem_send(session, &part)) > 0;) {
    bytes.append(reinterpret_cast<const char*>(part), static_cast<std::size_t>(size));
  }
  nghttp2_session_del(session);
  return bytes;
}

TEST(FrameDecoderTest, DescribesEachFrameHoweverTheBytesAreCut) {
  const std::string bytes = BytesOfTwoRequests();
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    std::vector<Frame> frames;
    FrameDecoder decoder(true, [&](Frame frame) { frames.push_back(std::move(frame)); });
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      ASSERT_THAT(decoder.Feed(std::string_view(bytes).substr(at, step)), testing::IsOk());
    }
    std::vector<std::string> lines;
    std::vector<Frame> requests;
    for (const Frame& frame : frames) {
      if (frame.headers.empty()) {
        lines.push_back(Describe(frame));
      } else {
        requests.push_back(frame);
      }
    }
    EXPECT_THAT(lines, ::testing::UnorderedElementsAre(
                           "-> SETTINGS connection, 6 bytes; INITIAL_WINDOW_SIZE=70000",
                           "-> WINDOW_UPDATE connection, 4 bytes; +1234",
                           "-> GOAWAY connection, 8 bytes; last stream 0, ENHANCE_YOUR_CALM"));
    ASSERT_EQ(requests.size(), 2u);
    for (const Frame& request : requests) {
      EXPECT_THAT(request.headers,
                  ElementsAre(Pair(":method", "POST"), Pair(":scheme", "http"),
                              Pair(":path", "/a.B/C"), Pair("x-name", "a value of some length")));
    }
    EXPECT_EQ(requests[1].stream, 3u);
    EXPECT_EQ(PlainBytes(requests[1]), 61u);
    // Indexes into the table that the first filled.
    EXPECT_LT(2 * requests[1].payload.size(), requests[0].payload.size());
  }
}

Frame MakeFrame(bool from_client, std::uint8_t type, std::uint32_t stream, std::string payload) {
  return {
      .from_client = from_client, .type = type, .stream = stream, .payload = std::move(payload)};
}

TEST(ServerWindowsTest, SubtractServerDataAndAddClientUpdates) {
  ServerWindows windows;
  windows.Add(MakeFrame(false, NGHTTP2_DATA, 1, std::string(535, 'x')));
  EXPECT_EQ(windows.connection(), 65'000);
  EXPECT_EQ(windows.OfStream(1), 65'000);
  EXPECT_EQ(windows.OfStream(3), 65'535);
  windows.Add(MakeFrame(true, NGHTTP2_WINDOW_UPDATE, 0, std::string("\0\0\1\0", 4)));
  windows.Add(MakeFrame(true, NGHTTP2_WINDOW_UPDATE, 1, std::string("\0\0\0\2", 4)));
  EXPECT_EQ(windows.connection(), 65'256);
  EXPECT_EQ(windows.OfStream(1), 65'002);
  // ENABLE_PUSH=0, INITIAL_WINDOW_SIZE=512: counts for streams that are open, too.
  const std::string settings("\0\2\0\0\0\0\0\4\0\0\2\0", 12);
  windows.Add(MakeFrame(true, NGHTTP2_SETTINGS, 0, settings));
  EXPECT_EQ(windows.connection(), 65'256);
  EXPECT_EQ(windows.OfStream(1), 512 - 533);
  EXPECT_EQ(windows.OfStream(3), 512);
  // The other direction has windows of its own.
  windows.Add(MakeFrame(true, NGHTTP2_DATA, 3, "up"));
  windows.Add(MakeFrame(false, NGHTTP2_WINDOW_UPDATE, 3, std::string("\0\0\0\2", 4)));
  windows.Add(MakeFrame(false, NGHTTP2_SETTINGS, 0, std::string("\0\4\0\0\0\0", 6)));
  EXPECT_EQ(windows.connection(), 65'256);
  EXPECT_EQ(windows.OfStream(3), 512);
}

TEST(FrameDecoderTest, RefusesWhatIsNoHttp2) {
  FrameDecoder client(true, [](Frame) { FAIL(); });
  EXPECT_THAT(client.Feed("GET / HTTP/1.1\r\nhost: example\r\n\r\n"),
              testing::StatusIs(absl::StatusCode::kInvalidArgument, "preface"));
  // HEADERS on stream 1 that refer to an entry of the table that isn't there.
  FrameDecoder server(false, [](Frame) { FAIL(); });
  EXPECT_THAT(server.Feed(std::string("\0\0\1\1\4\0\0\0\1\xfe", 10)),
              testing::StatusIs(absl::StatusCode::kInvalidArgument, "stream 1"));
  FrameDecoder padded(false, [](Frame) { FAIL(); });
  EXPECT_THAT(padded.Feed(std::string("\0\0\1\1\x0c\0\0\0\1\x09", 10)),
              testing::StatusIs(absl::StatusCode::kInvalidArgument, "padding"));
}

}  // namespace
}  // namespace ridestream::bench
