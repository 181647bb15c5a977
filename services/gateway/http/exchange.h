#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// Runs the work of one connection: one task after the other, on any thread of the server.
class Strand {
 public:
  virtual ~Strand() = default;
  /// Runs `work` on the strand, later. May be called from any thread. The other functions of these
  /// interfaces may be called only on the strand, and their callbacks run on the strand.
  virtual void Post(std::function<void()> work) = 0;
  /// Runs `work` on the strand after `delay`, unless the connection has ended. `work` should hold
  /// only weak references.
  virtual void After(std::chrono::milliseconds delay, std::function<void()> work) = 0;
  /// `gone` is called at most once, when the peer has disconnected or was too slow, or when the
  /// server stops: nothing that is sent after that arrives. It isn't called after an orderly end,
  /// and never from within another function.
  virtual void OnGone(std::function<void()> gone) = 0;
  /// `drain` is called at most once, when the server starts to drain. It should end long exchanges
  /// soon.
  virtual void OnDrain(std::function<void()> drain) = 0;
};

/// A WebSocket. A message is read only after a call of Read, so a slow reader slows the writer.
class WebSocket : public Strand {
 public:
  /// Reads the next message and calls `got` once. `binary` is false for a text message.
  virtual void Read(std::function<void(std::string message, bool binary)> got) = 0;
  /// Sends a binary message. Call it again only after `written` was called.
  virtual void Write(SharedBytes message, std::function<void()> written) = 0;
  /// Sends a close frame after all written messages. `reason` has at most 123 bytes.
  virtual void Close(std::uint16_t code, std::string_view reason) = 0;
};

/// One request and its response: either Send, or Begin, Write … and End. The handler owns the
/// exchange; the connection holds no reference after it has passed the exchange on. Calls after the
/// end of the response, or after the peer has disconnected, have no effect.
class Exchange : public Strand {
 public:
  virtual const Request& request() const = 0;
  /// Adds header fields to every response of this exchange.
  virtual void AddHeaders(Headers headers) = 0;
  /// Names the requested route for the server's observer. `route` must outlive the exchange.
  virtual void SetRoute(std::string_view route) = 0;
  /// Sends the whole response.
  virtual void Send(Response response) = 0;
  /// Begins a response in pieces, with the status and the header. The body of `head` is ignored.
  virtual void Begin(Response head) = 0;
  /// Sends the next piece, which must not be empty. `written` is called after the socket has
  /// accepted the piece. A caller that waits for it bounds the bytes that are queued here.
  virtual void Write(SharedBytes piece, std::function<void()> written) = 0;
  virtual void End() = 0;
  /// Cuts the connection, so that the peer can't take an incomplete response for a complete one.
  virtual void Abort() = 0;
  /// Whether the peer requests a WebSocket.
  virtual bool WantsWebSocket() const = 0;
  /// Turns the connection into a WebSocket with this subprotocol, whose messages may have up to
  /// `max_message` bytes. May be called only within the handler of the request. Ends the exchange.
  virtual std::shared_ptr<WebSocket> Accept(std::string_view subprotocol,
                                            std::size_t max_message) = 0;
};

/// Answers a request, at once or later. Called on the exchange's strand.
using Handler = std::function<void(std::shared_ptr<Exchange>)>;

}  // namespace ridestream::gateway
