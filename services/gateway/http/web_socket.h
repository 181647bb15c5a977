#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "services/gateway/http/asio.h"
#include "services/gateway/http/body_bytes.h"
#include "services/gateway/http/exchange.h"
#include "services/gateway/http/http_server.h"
#include "services/gateway/http/peers.h"
#include "services/gateway/http/stream.h"

namespace ridestream::gateway {

/// A WebSocket over Beast's stream. It sends pings, and cuts a silent peer. The threading is that
/// of HttpConnection.
class BeastWebSocket final : public WebSocket,
                             public Peer,
                             public std::enable_shared_from_this<BeastWebSocket> {
 public:
  BeastWebSocket(Stream stream, const HttpLimits& limits, std::size_t max_message,
                 BodyBytes& body_bytes);
  /// Takes another seat at the address of the HTTP connection that became this WebSocket.
  void Enter(const Peers::Seat& seat) { seat_ = seat.Another(weak_from_this()); }
  /// Performs the handshake. Reads and writes wait until it has ended.
  void Start(beast::http::request<beast::http::string_body> request, std::string_view subprotocol);

  void Post(std::function<void()> work) override;
  void After(std::chrono::milliseconds delay, std::function<void()> work) override;
  void OnGone(std::function<void()> gone) override;
  void OnDrain(std::function<void()> drain) override;
  void Read(std::function<void(std::string, bool)> got) override;
  void Write(SharedBytes message, std::function<void()> written) override;
  void Close(std::uint16_t code, std::string_view reason) override;

  void StartDrain() override;
  void Cut() override;

 private:
  /// Runs a callback. An exception never leaves the WebSocket: it cuts the connection.
  template <class Work>
  void Guard(const Work& work);
  void OnAccepted(ErrorCode error);
  void StartRead();
  void OnRead(ErrorCode error);
  void ArmMessage();
  /// Closes the WebSocket and reports that no further message will come.
  void CloseFor(beast::websocket::close_code code);
  void StartWrite();
  void StartClose();
  void Gone();
  /// Releases everything that keeps the call to the service alive.
  void Release();
  void ArmStall();

  std::unique_ptr<Peers::Seat> seat_;  // First, so that it is released last.
  beast::websocket::stream<Stream> stream_;
  net::steady_timer stall_timer_;
  net::steady_timer message_timer_;  // Runs while a message is incomplete.
  const HttpLimits& limits_;
  beast::http::request<beast::http::string_body> request_;
  beast::flat_buffer buffer_;
  BodyBytes::Share body_share_;  // For the message that is being read.

  bool accepted_ = false;
  bool draining_ = false;
  bool closed_ = false;
  bool message_begun_ = false;
  std::function<void()> gone_;
  std::function<void()> drain_;
  std::function<void(std::string, bool)> got_;
  SharedBytes message_;  // Is written now or next.
  bool writing_ = false;
  std::function<void()> written_;
  std::optional<beast::websocket::close_reason> closing_;
  bool close_sent_ = false;
};

}  // namespace ridestream::gateway
