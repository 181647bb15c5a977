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

/// One connection of HTTP/1.1: reads a request, hands it to the handler, writes the answer, and so
/// on. While a request is being answered it listens on, so that it sees the peer go away.
///
/// All on its strand but what Peer declares. Kept alive by the operations of Asio that are under
/// way and by the exchange that is being answered.
class HttpConnection final : public Peer, public std::enable_shared_from_this<HttpConnection> {
 public:
  /// `options` and `body_bytes` outlive it, as do `peers`.
  HttpConnection(Stream stream, const HttpOptions& options, BodyBytes& body_bytes);
  void Enter(Peers& peers, const std::string& address) {
    seat_ = peers.Enter(weak_from_this(), address);
  }

  /// Shakes hands where it speaks TLS, and serves requests. From any thread, once.
  void Start();
  /// Says that it is one too many, by 503, and goes; over TLS it goes without a word. Instead of
  /// Start. `why` is a literal.
  void Refuse(std::string_view why);

  void StartDrain() override;
  void Cut() override;

 private:
  class OneExchange;
  enum class State {
    kIdle,       // Waits for the first byte of a request.
    kReading,    // Reads one.
    kAnswering,  // An exchange is open, or an answer of our own is being written.
    kLingering,  // Has said all; waits a little for the peer to close, so that it gets all.
    kClosed,
  };
  /// What is written at once: a piece between its framing.
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
  /// Answers instead of the handler, and closes: what follows may be the body, not a request.
  void Reject(Response response);

  void BeginExchange(std::string_view method);
  /// Runs what isn't ours. An exception of it ends the exchange `id`, by 500 if nothing was sent of
  /// its answer, and never leaves the connection.
  template <class Work>
  void Guard(std::uint64_t id, const Work& work);

  // Writing. `id` is the exchange's: one that isn't the current is ignored.
  bool IsCurrent(std::uint64_t id) const {
    return id == exchange_ && state_ == State::kAnswering && !answered_;
  }
  void Send(std::uint64_t id, Headers common, Response response);
  void Begin(std::uint64_t id, Headers common, Response head);
  void Write(std::uint64_t id, SharedBytes piece, std::function<void()> written);
  void End(std::uint64_t id);
  void Abort(std::uint64_t id);
  std::string HeaderText(const Response& response, const Headers& common);
  void TellObserver(int status);
  void Put(Output output);
  void Advance();
  void OnWritten(ErrorCode error);

  // Ends.
  void EndExchange();
  void Linger();
  void Close();
  /// Closes, and tells the exchange that is open.
  void Gone();
  void Arm(std::chrono::milliseconds patience);
  void Disarm();
  void OnTimeout();

  std::unique_ptr<Peers::Seat> seat_;  // The first, so that it is given back last.
  Stream stream_;
  const net::any_io_executor strand_;
  net::steady_timer timer_;
  const HttpOptions& options_;
  const HttpLimits& limits_ = options_.limits;
  BodyBytes& body_bytes_;
  BodyBytes::Share body_share_;  // Of the request that is read or answered.
  beast::flat_buffer buffer_;
  std::optional<beast::http::request_parser<beast::http::string_body>> parser_;

  State state_ = State::kIdle;
  bool listening_ = false;
  bool timed_out_ = false;
  bool draining_ = false;
  std::size_t lingered_bytes_ = 0;

  std::uint64_t exchange_ = 0;  // Counts them.
  std::chrono::steady_clock::time_point arrived_;
  std::string method_;      // Of the request; empty if what came was none.
  std::string_view route_;  // What it asked for, if the handler has said it.
  bool begun_ = false;      // Begin was called: a part of the answer may have gone.
  bool answered_ = false;   // All of the answer waits in outputs_.
  bool close_after_ = false;
  Request request_;  // That is being read; its handler gets it.
  bool asks_for_web_socket_ = false;
  bool chunked_ = false;
  bool without_body_ = false;
  std::function<void()> gone_;
  std::function<void()> drain_;
  std::deque<Output> outputs_;  // At most a header, a piece and an end.
  bool writing_ = false;
};

}  // namespace ridestream::gateway
