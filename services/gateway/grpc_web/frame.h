#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// The header of a gRPC-Web frame: one byte of flags, and the payload's length as four bytes,
/// big-endian.
inline constexpr std::size_t kFrameHeader = 5;

std::string DataFrame(std::string_view message);
/// A frame of `name: value\r\n` lines with the flag 0x80.
std::string HeadersFrame(const Headers& headers);
/// The frame that ends a call: grpc-status, grpc-message and the trailing metadata.
std::string TrailersFrame(const absl::Status& status, const Headers& trailers);

/// Returns the message in `bytes`, which must be exactly one data frame. INVALID_ARGUMENT for
/// anything else; UNIMPLEMENTED for a compressed message.
absl::StatusOr<std::string_view> OneMessage(std::string_view bytes);

/// Decodes base64 that was encoded in pieces, so padding may occur in the middle.
absl::StatusOr<std::string> DecodePieces(std::string_view base64);

}  // namespace ridestream::gateway
