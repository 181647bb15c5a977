#include "services/gateway/grpc_web/frame.h"

#include <fmt/format.h>

#include <cstdint>

#include "absl/strings/escaping.h"
#include "services/gateway/http/problem.h"

namespace ridestream::gateway {
namespace {

constexpr unsigned char kCompressed = 0x01;
constexpr unsigned char kHeaders = 0x80;

std::string Frame(unsigned char flags, std::string_view payload) {
  const auto length = static_cast<std::uint32_t>(payload.size());
  std::string frame;
  frame.reserve(kFrameHeader + payload.size());
  frame += static_cast<char>(flags);
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>((length >> shift) & 0xff);
  frame += payload;
  return frame;
}

}  // namespace

std::string DataFrame(std::string_view message) { return Frame(0, message); }

std::string HeadersFrame(const Headers& headers) {
  std::string text;
  for (const auto& [name, value] : headers) text += fmt::format("{}: {}\r\n", name, value);
  return Frame(kHeaders, text);
}

std::string TrailersFrame(const absl::Status& status, const Headers& trailers) {
  Headers all;
  all.Add("grpc-status", std::to_string(static_cast<int>(status.code())));
  if (!status.message().empty()) {
    all.Add("grpc-message", GrpcMessage({status.message().data(), status.message().size()}));
  }
  for (const auto& [name, value] : trailers) all.Add(name, value);
  return HeadersFrame(all);
}

absl::StatusOr<std::string_view> OneMessage(std::string_view bytes) {
  if (bytes.size() < kFrameHeader) {
    return absl::InvalidArgumentError(fmt::format(
        "frame: the header of a gRPC-Web frame has {} bytes, got {}", kFrameHeader, bytes.size()));
  }
  const auto flags = static_cast<unsigned char>(bytes[0]);
  std::uint32_t length = 0;
  for (std::size_t i = 1; i < kFrameHeader; ++i) {
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  }
  if (flags == kCompressed) {
    return absl::UnimplementedError("frame: is compressed; send it uncompressed");
  }
  if (flags != 0) {
    return absl::InvalidArgumentError(
        fmt::format("frame: has the flags 0x{:02x}; a data frame has none", flags));
  }
  bytes.remove_prefix(kFrameHeader);
  if (length > bytes.size()) {
    return absl::InvalidArgumentError(
        fmt::format("frame: announces {} bytes, but {} follow", length, bytes.size()));
  }
  if (length < bytes.size()) {
    return absl::InvalidArgumentError(
        fmt::format("frame: {} bytes follow the first frame; this method takes one message",
                    bytes.size() - length));
  }
  return bytes;
}

absl::StatusOr<std::string> DecodePieces(std::string_view base64) {
  std::string bytes;
  while (!base64.empty()) {
    std::size_t end = base64.find('=');
    end = end == std::string_view::npos ? base64.size() : base64.find_first_not_of('=', end);
    const std::string_view piece = base64.substr(0, end);
    std::string decoded;
    if (!absl::Base64Unescape(absl::string_view(piece.data(), piece.size()), &decoded)) {
      return absl::InvalidArgumentError("body: is not base64");
    }
    bytes += decoded;
    base64.remove_prefix(piece.size());
  }
  return bytes;
}

}  // namespace ridestream::gateway
