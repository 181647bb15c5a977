#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// gRPC-Web's frames: a byte of flags, the length as four bytes with the highest first, and as many
/// bytes.
inline constexpr std::size_t kFrameHeader = 5;

std::string DataFrame(std::string_view message);
/// Fields as `name: value\r\n`, under the flag 0x80.
std::string HeadersFrame(const Headers& headers);
/// How a call ended, as a frame of headers: grpc-status, grpc-message and the trailing metadata.
std::string TrailersFrame(const absl::Status& status, const Headers& trailers);

/// The message in `bytes`, which is to be one data frame and nothing else. INVALID_ARGUMENT says
/// what is wrong with it, UNIMPLEMENTED that it is compressed.
absl::StatusOr<std::string_view> OneMessage(std::string_view bytes);

/// The bytes of base64 that was made piece by piece, so that padding may stand within.
absl::StatusOr<std::string> DecodePieces(std::string_view base64);

}  // namespace ridestream::gateway
