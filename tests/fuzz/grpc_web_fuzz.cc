// gRPC-Web: the bytes as a body, as its text form, and as the message of a status that is sent
// back.

#include <cstdlib>
#include <string_view>

#include "services/gateway/grpc_web/frame.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ridestream::gateway;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto message = OneMessage(bytes); message.ok()) {
    if (DataFrame(*message) != bytes) std::abort();
  }
  if (const auto decoded = DecodePieces(bytes); decoded.ok()) {
    if (const auto message = OneMessage(*decoded); message.ok()) {
      if (DataFrame(*message) != *decoded) std::abort();
    }
  }
  // A status text's bound is 1 KiB, of which each byte may become three.
  const absl::Status status = absl::InvalidArgumentError(absl::string_view(bytes.data(), size));
  if (TrailersFrame(status, {}).size() > 3 * 1024 + 64) std::abort();
  return 0;
}
