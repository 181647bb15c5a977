// Request headers on their way to gRPC: lines of "name: value". Only names on the allow-list may
// pass, each once, and within the size limit.

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "services/gateway/call/metadata.h"

namespace ridestream::gateway {
namespace {

Headers ReadFields(std::string_view text) {
  Headers headers;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos) {
      headers.AddRaw(line.substr(0, colon), std::string(line.substr(colon + 2)));
    }
  }
  return headers;
}

}  // namespace
}  // namespace ridestream::gateway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ridestream::gateway;
  const auto options =
      CallOptionsFromHeaders(ReadFields({reinterpret_cast<const char*>(data), size}));
  if (!options.ok()) return 0;
  std::size_t bytes = 0;
  for (const auto& [name, value] : options->metadata) {
    bytes += name.size() + value.size();
    const bool known = name == "ridestream-caller" || name == "authorization" ||
                       name == "ridestream-market" || name == "traceparent" || name == "tracestate";
    if (!known || options->metadata.Count(name) != 1) std::abort();
    if (std::any_of(value.begin(), value.end(), [](char c) { return c < ' ' || c > '~'; })) {
      std::abort();
    }
  }
  if (bytes > 4096 || options->request_id.empty() || options->request_id.size() > 64) std::abort();
  return 0;
}
