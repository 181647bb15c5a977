#pragma once

#include <optional>
#include <utility>

#include "services/gateway/http/asio.h"
#include "services/gateway/http/https_certificate.h"

namespace ridestream::gateway {

struct HttpsCertificate::Context {
  /// Mutable because Asio requires it. Nobody changes it after it is made.
  mutable net::ssl::context ssl{net::ssl::context::tls_server};
};

/// The bytes of a connection: those of its TCP socket, or those within TLS. Implements Asio's
/// AsyncReadStream and AsyncWriteStream. Movable while no operation is pending.
class Stream {
 public:
  using next_layer_type = Tcp::socket;
  using executor_type = Tcp::socket::executor_type;

  /// Plain TCP if `context` is null.
  Stream(Tcp::socket socket, const HttpsCertificate::Context* context) {
    if (context == nullptr) {
      plain_.emplace(std::move(socket));
    } else {
      tls_.emplace(std::move(socket), context->ssl);
    }
  }

  /// The TCP socket.
  next_layer_type& next_layer() { return tls_ ? tls_->next_layer() : *plain_; }
  executor_type get_executor() { return next_layer().get_executor(); }
  bool is_tls() const { return tls_.has_value(); }

  /// Performs the server's handshake. Only for TLS.
  template <class Handler>
  void async_handshake(Handler&& handler) {
    tls_->async_handshake(net::ssl::stream_base::server, std::forward<Handler>(handler));
  }
  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) {
      tls_->async_read_some(buffers, std::forward<Handler>(handler));
    } else {
      plain_->async_read_some(buffers, std::forward<Handler>(handler));
    }
  }
  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) {
      tls_->async_write_some(buffers, std::forward<Handler>(handler));
    } else {
      plain_->async_write_some(buffers, std::forward<Handler>(handler));
    }
  }

 private:
  // Exactly one has a value.
  std::optional<Tcp::socket> plain_;
  std::optional<net::ssl::stream<Tcp::socket>> tls_;
};

/// Beast calls this when a WebSocket ends. It closes only TCP, since the WebSocket's close frames
/// have already been exchanged.
template <class Handler>
void async_teardown(beast::role_type role, Stream& stream, Handler&& handler) {
  beast::websocket::async_teardown(role, stream.next_layer(), std::forward<Handler>(handler));
}
inline void teardown(beast::role_type role, Stream& stream, ErrorCode& error) {
  beast::websocket::teardown(role, stream.next_layer(), error);
}

}  // namespace ridestream::gateway
