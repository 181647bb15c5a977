// A WebSocket of the gateway: the bytes that follow its handshake, over loopback.

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "tests/fuzz/gateway_peer.h"

namespace ridestream::gateway {
namespace {

constexpr std::size_t kMaxMessage = 1000;

void Echo(const std::shared_ptr<WebSocket>& socket) {
  socket->Read([socket](std::string message, bool) {
    if (message.size() > kMaxMessage) std::abort();
    socket->Write(Share(std::move(message)), [socket] { Echo(socket); });
  });
}

void Answer(const std::shared_ptr<Exchange>& exchange) {
  if (!exchange->WantsWebSocket()) std::abort();
  Echo(exchange->Accept("fuzz", kMaxMessage));
}

}  // namespace
}  // namespace ridestream::gateway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ridestream::fuzz::SendToServer(
      &ridestream::gateway::Answer,
      "GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
      "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      data, size);
  return 0;
}
