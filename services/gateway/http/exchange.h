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

/// Where things of one connection run: one after the other, on some thread of the server's.
class Strand {
 public:
  virtual ~Strand() = default;
  /// Runs `work` there, later. From any thread; the other functions of these interfaces may be
  /// called only from there, and all their callbacks come there.
  virtual void Post(std::function<void()> work) = 0;
  /// Runs `work` there after `delay`, unless the connection has ended. It should hold what it needs
  /// weakly.
  virtual void After(std::chrono::milliseconds delay, std::function<void()> work) = 0;
  /// Called at most once, when the peer has gone, was too slow, or the server stops: nothing that
  /// is sent arrives any more. Not called after an orderly end. Never from within another function.
  virtual void OnGone(std::function<void()> gone) = 0;
  /// Called at most once, when the server starts to drain: end soon what could go on for long.
  virtual void OnDrain(std::function<void()> drain) = 0;
};

/// A WebSocket. Nothing is read that wasn't asked for, so the reader slows the writer.
class WebSocket : public Strand {
 public:
  /// Asks for the next message, once. Text messages are told apart from binary ones.
  virtual void Read(std::function<void(std::string message, bool binary)> got) = 0;
  /// Sends a binary message. One at a time: the next after `written`.
  virtual void Write(SharedBytes message, std::function<void()> written) = 0;
  /// Says good-bye after what was written; `reason` has at most 123 bytes.
  virtual void Close(std::uint16_t code, std::string_view reason) = 0;
};

/// One request and its answer: either Send, or Begin, Write … and End. Owned by whoever answers;
/// the connection holds no reference once it was handed over. What comes after the end, or after
/// the peer has gone, is ignored.
class Exchange : public Strand {
 public:
  virtual const Request& request() const = 0;
  /// Header fields that every response of this exchange has in addition.
  virtual void AddHeaders(Headers headers) = 0;
  /// Names what was asked for, for the server's observer; `route` outlives the exchange.
  virtual void SetRoute(std::string_view route) = 0;
  /// Answers whole.
  virtual void Send(Response response) = 0;
  /// Answers piece by piece: first the status and the header (the body is ignored).
  virtual void Begin(Response head) = 0;
  /// The next piece, not empty. `written` is called when the peer's side of the network has taken
  /// it, so that waiting for it bounds what waits here.
  virtual void Write(SharedBytes piece, std::function<void()> written) = 0;
  virtual void End() = 0;
  /// Breaks the connection, so that an answer that isn't whole doesn't look so.
  virtual void Abort() = 0;
  /// Whether the peer asks for a WebSocket.
  virtual bool WantsWebSocket() const = 0;
  /// Answers by becoming a WebSocket with this subprotocol, whose messages may have `max_message`
  /// bytes. Only from within the handler of the request. The exchange has ended then.
  virtual std::shared_ptr<WebSocket> Accept(std::string_view subprotocol,
                                            std::size_t max_message) = 0;
};

/// Answers a request, now or later. Called on its strand.
using Handler = std::function<void(std::shared_ptr<Exchange>)>;

}  // namespace ridestream::gateway
