// The gateway's HTTP server: the bytes of one connection, over loopback. Its handler sees only
// requests that may be served.

#include <cstdlib>
#include <memory>

#include "services/gateway/http/hosts.h"
#include "tests/fuzz/gateway_peer.h"

namespace ridestream::gateway {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void Answer(const std::shared_ptr<Exchange>& exchange) {
  const Request& request = exchange->request();
  Require(request.headers.Count("host") <= 1);
  Require(!request.headers.Has("host") || HostName(request.headers.Get("host")).has_value());
  Require(request.headers.Count("content-length") + request.headers.Count("transfer-encoding") <=
          1);
  Require(request.path.starts_with('/') || request.path == "*");
  if (exchange->WantsWebSocket()) {
    exchange->Accept("fuzz", 1000)->Close(1000, "");
  } else {
    exchange->Send({.status = 200, .body = Share(request.path + request.query + request.body)});
  }
}

}  // namespace
}  // namespace ridestream::gateway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ridestream::fuzz::SendToServer(&ridestream::gateway::Answer, "", data, size);
  return 0;
}
