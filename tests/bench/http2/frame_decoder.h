#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

struct nghttp2_hd_inflater;

namespace ridestream::bench {

/// An HTTP/2 frame (RFC 9113) as observed on a connection.
struct Frame {
  /// Counted from 1, in the order in which the relay accepted connections.
  int connection = 0;
  bool from_client = false;
  /// When it was seen whole, since the log began.
  std::chrono::microseconds at{0};
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  /// 0 means the connection itself.
  std::uint32_t stream = 0;
  /// The bytes after the 9 bytes of the frame's header.
  std::string payload = {};
  /// In the last frame of a header block: the block's fields, in order.
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// The bytes of the field lines before compression, without the 32 that RFC 7541 adds to each.
std::size_t PlainBytes(const Frame& frame);

/// One line with the frame's contents: "-> HEADERS stream 1, 184 bytes, END_HEADERS; :path /…".
std::string Describe(const Frame& frame);

/// Flow control of a server's data (RFC 9113, 6.9): how many bytes of DATA the client permits it to
/// send. Add every frame of one connection, in order.
class ServerWindows {
 public:
  void Add(const Frame& frame);
  /// Bytes left of the connection's window.
  std::int64_t connection() const { return connection_; }
  /// Bytes left of the stream's window. Negative after the client has reduced the initial window.
  std::int64_t OfStream(std::uint32_t stream) const;

 private:
  static constexpr std::int64_t kDefaultWindow = 65'535;

  std::int64_t connection_ = kDefaultWindow;
  std::int64_t initial_ = kDefaultWindow;
  /// WINDOW_UPDATEs less DATA.
  std::map<std::uint32_t, std::int64_t> added_;
};

/// Splits one direction of a connection into frames. The frame header is parsed here, and
/// libnghttp2 decompresses header blocks. Its session can't be used, because it takes part in a
/// connection and rejects frames of streams that it didn't open. Not thread-safe.
class FrameDecoder {
 public:
  FrameDecoder(bool from_client, std::function<void(Frame)> on_frame);
  ~FrameDecoder();

  /// INVALID_ARGUMENT if the bytes aren't HTTP/2; don't call it again after that.
  absl::Status Feed(std::string_view bytes);

 private:
  absl::Status Take(Frame frame);
  absl::Status Inflate(Frame& frame);

  const bool from_client_;
  const std::function<void(Frame)> on_frame_;
  nghttp2_hd_inflater* inflater_ = nullptr;
  bool preface_due_;
  std::string bytes_;
  /// A header block of which CONTINUATION frames are missing.
  std::string block_;
};

}  // namespace ridestream::bench
