#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

// Boost 1.74's coroutines need std::exchange, which they don't include.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ridestream::bench::wire {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = net::ip::tcp;
using ErrorCode = boost::system::error_code;
using HttpRequest = http::request<http::string_body>;
using HttpResponse = http::response<http::string_body>;

inline absl::Status ToAbslStatus(const ErrorCode& error) {
  return absl::UnavailableError(error.message());
}

/// Answers a request; or takes over the connection until its end and returns nothing.
using HttpHandler =
    std::function<net::awaitable<std::optional<HttpResponse>>(Tcp::socket&, HttpRequest&)>;

inline HttpResponse MakeResponse(std::string type, std::string body) {
  HttpResponse response(http::status::ok, 11);
  response.set(http::field::content_type, type);
  response.body() = std::move(body);
  response.prepare_payload();
  return response;
}

/// Serves a connection's requests until the peer closes it.
inline net::awaitable<void> ServeConnection(Tcp::socket socket, const HttpHandler& handler) {
  beast::flat_buffer buffer;
  ErrorCode error;
  socket.set_option(Tcp::no_delay(true), error);
  while (!error) {
    HttpRequest request;
    co_await http::async_read(socket, buffer, request,
                              net::redirect_error(net::use_awaitable, error));
    if (error) break;
    std::optional<HttpResponse> response = co_await handler(socket, request);
    if (!response.has_value()) break;
    co_await http::async_write(socket, *response, net::redirect_error(net::use_awaitable, error));
  }
}

inline net::awaitable<void> AcceptConnections(Tcp::acceptor& acceptor, const HttpHandler& handler,
                                              ErrorCode& error) {
  for (;;) {
    Tcp::socket socket =
        co_await acceptor.async_accept(net::redirect_error(net::use_awaitable, error));
    if (error) co_return;
    net::co_spawn(acceptor.get_executor(), ServeConnection(std::move(socket), handler),
                  net::detached);
  }
}

/// Serves HTTP/1.1 on the calling thread. Returns only on error.
inline absl::Status ServeHttp(const HttpHandler& handler, const std::function<void(int)>& serving) {
  net::io_context context(1);
  Tcp::acceptor acceptor(context, {net::ip::address_v4::loopback(), 0});
  ErrorCode error;
  net::co_spawn(context, AcceptConnections(acceptor, handler, error), net::detached);
  serving(acceptor.local_endpoint().port());
  context.run();
  return ToAbslStatus(error);
}

/// The head of a response whose body is sent in pieces by WriteChunk.
inline net::awaitable<void> BeginChunks(Tcp::socket& socket, std::string type, ErrorCode& error) {
  http::response<http::empty_body> head(http::status::ok, 11);
  head.set(http::field::content_type, type);
  head.chunked(true);
  http::response_serializer<http::empty_body> serializer(head);
  co_await http::async_write_header(socket, serializer,
                                    net::redirect_error(net::use_awaitable, error));
}

inline net::awaitable<void> WriteChunk(Tcp::socket& socket, const std::string& piece,
                                       ErrorCode& error) {
  co_await net::async_write(socket, http::make_chunk(net::buffer(piece)),
                            net::redirect_error(net::use_awaitable, error));
}

/// Waits for the pause between two offers; not at all if that is zero.
inline net::awaitable<void> Pause(Tcp::socket& socket, std::chrono::microseconds pause,
                                  ErrorCode& error) {
  if (pause.count() == 0) co_return;
  net::steady_timer timer(socket.get_executor(), pause);
  co_await timer.async_wait(net::redirect_error(net::use_awaitable, error));
}

/// A connection of HTTP/1.1 that stays open; blocking.
class HttpClient {
 public:
  absl::Status Connect(int port) {
    ErrorCode error;
    socket_.connect({net::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)}, error);
    if (!error) socket_.set_option(Tcp::no_delay(true), error);
    host_ = "127.0.0.1:" + std::to_string(port);
    return error ? ToAbslStatus(error) : absl::OkStatus();
  }

  HttpRequest Prepare(http::verb verb, const std::string& path) const {
    HttpRequest request(verb, path, 11);
    request.set(http::field::host, host_);
    return request;
  }
  absl::Status Send(HttpRequest& request) {
    ErrorCode error;
    request.prepare_payload();
    http::write(socket_, request, error);
    return error ? ToAbslStatus(error) : absl::OkStatus();
  }
  absl::StatusOr<HttpResponse> Exchange(HttpRequest& request) {
    if (absl::Status status = Send(request); !status.ok()) return status;
    ErrorCode error;
    HttpResponse response;
    http::read(socket_, buffer_, response, error);
    if (error) return ToAbslStatus(error);
    if (response.result() == http::status::ok) return response;
    return absl::InternalError("HTTP status " + std::to_string(response.result_int()) + ": " +
                               response.body());
  }

  /// Used in place of Exchange for a response without an end: reads its header.
  absl::Status Open(HttpRequest& request) {
    if (absl::Status status = Send(request); !status.ok()) return status;
    ErrorCode error;
    pushed_.emplace();
    pushed_->body_limit(boost::none);
    pushed_->eager(true);
    http::read_header(socket_, buffer_, *pushed_, error);
    if (error) return ToAbslStatus(error);
    if (pushed_->get().result() == http::status::ok) return absl::OkStatus();
    return absl::InternalError("HTTP status " + std::to_string(pushed_->get().result_int()));
  }
  /// Bytes of that response that have arrived and that the caller hasn't removed.
  std::string& pushed() { return pushed_->get().body(); }
  absl::Status ReadMore() {
    ErrorCode error;
    http::read_some(socket_, buffer_, *pushed_, error);
    return error ? ToAbslStatus(error) : absl::OkStatus();
  }

  Tcp::socket& socket() { return socket_; }
  beast::flat_buffer& buffer() { return buffer_; }
  const std::string& host() const { return host_; }

 private:
  net::io_context context_;
  Tcp::socket socket_{context_};
  beast::flat_buffer buffer_;
  std::optional<http::response_parser<http::string_body>> pushed_;
  std::string host_;
};

}  // namespace ridestream::bench::wire
