#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "services/gateway/http/asio.h"
#include "services/gateway/http/body_bytes.h"
#include "services/gateway/http/exchange.h"
#include "services/gateway/http/http_server.h"
#include "services/gateway/http/peers.h"
#include "services/gateway/http/stream.h"

namespace ridestream::gateway {

/// One HTTP/1.1 connection: reads a request, passes it to the handler, writes the response, and
/// repeats. It keeps reading while a request is being answered, to detect that the peer
/// disconnects.
///
/// All functions except those of Peer run on the strand. Pending Asio operations and the open
/// exchange keep the connection alive.
class HttpConnection final : public Peer, public std::enable_shared_from_this<HttpConnection> {
 public:
  /// `options` and `body_bytes` must outlive the connection, and so must the `peers` of Enter.
  HttpConnection(Stream stream, const HttpOptions& options, BodyBytes& body_bytes);
  void Enter(Peers& peers, const std::string& address) {
    seat_ = peers.Enter(weak_from_this(), address);
  }

  /// Performs the handshake if the connection uses TLS, and serves requests. May be called once,
  /// from any thread.
  void Start();
  /// Refuses a connection beyond the limit: answers 503 and closes, or over TLS only closes. Call
  /// it instead of Start. `why` must be a literal.
  void Refuse(std::string_view why);

  void StartDrain() override;
  void Cut() override;

 private:
  class OneExchange;
  enum class State {
    kIdle,       // Waits for the first byte of a request.
    kReading,    // Reads a request.
    kAnswering,  // An exchange is open, or a response of our own is being written.
    kLingering,  // All is written. Waits shortly for the peer to close, so that it gets everything.
    kClosed,
  };
  /// The bytes of one write: a piece of a response with its framing.
  struct Output {
    std::string before;
    SharedBytes piece;
    std::string_view after;
    std::function<void()> written;
  };

  // Reading.
  void Next();
  void Listen();
  void OnHeard(ErrorCode error, std::size_t count);
  void ReadHeader();
  void OnHeader(ErrorCode error);
  void ReadBody();
  void OnRequest();
  void OnBadRequest(ErrorCode error);
  /// Answers instead of the handler, and closes: the bytes that follow may be a body, not a
  /// request.
  void Reject(Response response);

  void BeginExchange(std::string_view method);
  /// Runs a callback. An exception never leaves the connection: it ends the exchange `id`, by 500
  /// if nothing of the response was sent.
  template <class Work>
  void Guard(std::uint64_t id, const Work& work);

  // Writing. `id` is that of the exchange. Calls for an exchange that isn't current are ignored.
  bool IsCurrent(std::uint64_t id) const {
    return id == exchange_ && state_ == State::kAnswering && !answered_;
  }
  void Send(std::uint64_t id, Headers common, Response response);
  void Begin(std::uint64_t id, Headers common, Response head);
  void Write(std::uint64_t id, SharedBytes piece, std::function<void()> written);
  void End(std::uint64_t id);
  void Abort(std::uint64_t id);
  std::string HeaderText(const Response& response, const Headers& common);
  void NotifyObserver(int status);
  void Put(Output output);
  void Advance();
  void OnWritten(ErrorCode error);

  // Ends.
  void EndExchange();
  void Linger();
  void Close();
  /// Closes, and notifies the open exchange.
  void Gone();
  void Arm(std::chrono::milliseconds patience);
  void Disarm();
  void OnTimeout();

  std::unique_ptr<Peers::Seat> seat_;  // First, so that it is released last.
  Stream stream_;
  const net::any_io_executor strand_;
  net::steady_timer timer_;
  const HttpOptions& options_;
  const HttpLimits& limits_ = options_.limits;
  BodyBytes& body_bytes_;
  BodyBytes::Share body_share_;  // For the request that is read or answered.
  beast::flat_buffer buffer_;
  std::optional<beast::http::request_parser<beast::http::string_body>> parser_;

  State state_ = State::kIdle;
  bool listening_ = false;
  bool timed_out_ = false;
  bool draining_ = false;
  std::size_t lingered_bytes_ = 0;

  std::uint64_t exchange_ = 0;  // Number of the current exchange.
  std::chrono::steady_clock::time_point arrived_;
  std::string method_;      // Of the request; empty if the bytes weren't a request.
  std::string_view route_;  // The requested route, if the handler has named it.
  bool begun_ = false;      // Begin was called: a part of the response may be sent.
  bool answered_ = false;   // The rest of the response is in outputs_.
  bool close_after_ = false;
  Request request_;  // The request that is being read, until the handler gets it.
  bool asks_for_web_socket_ = false;
  bool chunked_ = false;
  bool without_body_ = false;
  std::function<void()> gone_;
  std::function<void()> drain_;
  std::deque<Output> outputs_;  // At most a header, a piece and an end.
  bool writing_ = false;
};

}  // namespace ridestream::gateway
