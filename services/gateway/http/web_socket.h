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

/// A WebSocket on Beast's stream, which pings the peer and cuts a silent one. Threading as
/// HttpConnection.
class BeastWebSocket final : public WebSocket,
                             public Peer,
                             public std::enable_shared_from_this<BeastWebSocket> {
 public:
  BeastWebSocket(Stream stream, const HttpLimits& limits, std::size_t max_message,
                 BodyBytes& body_bytes);
  /// Takes a seat beside that of the connection it was, at the same address.
  void Enter(const Peers::Seat& seat) { seat_ = seat.Another(weak_from_this()); }
  /// Shakes hands; what is read or written before that waits.
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
  /// Runs what isn't ours. An exception of it cuts the WebSocket and never leaves it.
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
  /// Lets go of everything that holds the call on the other side.
  void Release();
  void ArmStall();

  std::unique_ptr<Peers::Seat> seat_;  // The first, so that it is given back last.
  beast::websocket::stream<Stream> stream_;
  net::steady_timer stall_timer_;
  net::steady_timer message_timer_;  // Runs while a part of a message has come.
  const HttpLimits& limits_;
  beast::http::request<beast::http::string_body> request_;
  beast::flat_buffer buffer_;
  BodyBytes::Share body_share_;  // Of the message that is being read.

  bool accepted_ = false;
  bool draining_ = false;
  bool closed_ = false;
  bool message_begun_ = false;
  std::function<void()> gone_;
  std::function<void()> drain_;
  std::function<void(std::string, bool)> got_;
  SharedBytes message_;  // Being written, or to be.
  bool writing_ = false;
  std::function<void()> written_;
  std::optional<beast::websocket::close_reason> closing_;
  bool close_sent_ = false;
};

}  // namespace ridestream::gateway
