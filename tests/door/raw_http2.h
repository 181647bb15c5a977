#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ridestream::door {

/// HTTP/2 frames (RFC 9113) as bytes, valid or not, as the caller asks.
enum class FrameType : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kRstStream = 3,
  kSettings = 4,
  kPing = 6,
  kWindowUpdate = 8,
  kContinuation = 9,
};
inline constexpr std::uint8_t kEndHeaders = 0x4;

/// `payload` must be shorter than 2^24 bytes.
std::string Frame(FrameType type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload);

/// An HPACK block without Huffman codes and dynamic table, for a gRPC call to this path. Ends with
/// a header value of `padding` bytes.
std::string RequestHeaders(std::string_view path, std::size_t padding = 0);

/// A plaintext connection to HOST:PORT on this machine that has sent HTTP/2's preface and empty
/// settings, and then sends what the test gives it. Not thread-safe.
class RawHttp2 {
 public:
  /// `from`: an address of 127.0.0.0/8, so that a test may be several clients.
  RawHttp2(const std::string& address, const std::string& from);
  ~RawHttp2();
  RawHttp2(const RawHttp2&) = delete;
  RawHttp2& operator=(const RawHttp2&) = delete;

  /// Waits until everything is sent. Returns false if the other side has closed the connection, or
  /// has taken nothing for `patience`.
  bool Send(std::string_view bytes, std::chrono::milliseconds patience = std::chrono::seconds(5));
  /// Reads and discards what has arrived. Returns false once the connection is closed.
  bool Skim();
  /// Reads until the connection is closed; returns false if that hasn't happened within `patience`.
  bool AwaitClose(std::chrono::milliseconds patience);
  std::size_t sent() const { return sent_; }

 private:
  int socket_ = -1;
  bool closed_ = false;
  std::size_t sent_ = 0;
};

}  // namespace ridestream::door
