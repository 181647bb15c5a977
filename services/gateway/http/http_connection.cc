#include "services/gateway/http/http_connection.h"

#include <fmt/format.h>

#include <array>
#include <exception>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "libs/service/service.h"
#include "services/gateway/http/problem.h"
#include "services/gateway/http/request_rules.h"
#include "services/gateway/http/web_socket.h"

namespace ridestream::gateway {

namespace http = beast::http;

namespace {

constexpr std::size_t kReadBytes = 4096;
// How much a peer may still send after our last byte, and for how long: RFC 9112, 9.6.
constexpr std::size_t kMaxLingerBytes = 4 << 20;
constexpr std::chrono::milliseconds kLinger{2'000};

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

Request ToRequest(const http::request<http::string_body>& message) {
  Request request;
  request.method = std::string(View(message.method_string()));
  const std::string_view target = View(message.target());
  const std::size_t question = target.find('?');
  request.path = std::string(target.substr(0, question));
  if (question != std::string_view::npos) request.query = std::string(target.substr(question + 1));
  for (const auto& field : message) {
    request.headers.Add(View(field.name_string()), View(field.value()));
  }
  NormalizeTarget(request);
  return request;
}

Response Busy(std::string_view why) {
  Response response = Problem(503, absl::StatusCode::kResourceExhausted, why);
  response.headers.Add("retry-after", "1");
  return response;
}

}  // namespace

/// The handler's view of the connection.
class HttpConnection::OneExchange final : public Exchange {
 public:
  OneExchange(std::shared_ptr<HttpConnection> connection, Request request)
      : connection_(std::move(connection)),
        id_(connection_->exchange_),
        request_(std::move(request)) {}
  /// If a handler drops the exchange without a response, the peer must not wait for ever.
  ~OneExchange() override {
    net::post(connection_->strand_,
              [connection = connection_, id = id_] { connection->Abort(id); });
  }

  const Request& request() const override { return request_; }
  void Post(std::function<void()> work) override {
    net::post(connection_->strand_, [connection = connection_, id = id_, work = std::move(work)] {
      connection->Guard(id, work);
    });
  }
  void After(std::chrono::milliseconds delay, std::function<void()> work) override {
    RunAfter(connection_->strand_, delay, connection_->weak_from_this(),
             [connection = connection_.get(), id = id_, work = std::move(work)] {
               if (connection->IsCurrent(id)) connection->Guard(id, work);
             });
  }
  void OnGone(std::function<void()> gone) override {
    if (connection_->IsCurrent(id_)) connection_->gone_ = std::move(gone);
  }
  void OnDrain(std::function<void()> drain) override {
    if (!connection_->IsCurrent(id_)) return;
    connection_->drain_ = std::move(drain);
    if (connection_->draining_) connection_->StartDrain();
  }
  void AddHeaders(Headers headers) override {
    for (const auto& [name, value] : headers) common_.Add(name, value);
  }
  void SetRoute(std::string_view route) override {
    if (connection_->IsCurrent(id_)) connection_->route_ = route;
  }
  void Send(Response response) override { connection_->Send(id_, common_, std::move(response)); }
  void Begin(Response head) override { connection_->Begin(id_, common_, std::move(head)); }
  void Write(SharedBytes piece, std::function<void()> written) override {
    connection_->Write(id_, std::move(piece), std::move(written));
  }
  void End() override { connection_->End(id_); }
  void Abort() override { connection_->Abort(id_); }

  bool WantsWebSocket() const override {
    return connection_->IsCurrent(id_) && connection_->asks_for_web_socket_;
  }
  std::shared_ptr<WebSocket> Accept(std::string_view subprotocol,
                                    std::size_t max_message) override {
    connection_->NotifyObserver(static_cast<int>(http::status::switching_protocols));
    auto socket =
        std::make_shared<BeastWebSocket>(std::move(connection_->stream_), connection_->limits_,
                                         max_message, connection_->body_bytes_);
    socket->Enter(*connection_->seat_);
    socket->Start(connection_->parser_->release(), subprotocol);
    connection_->state_ = State::kClosed;
    connection_->Disarm();
    return socket;
  }

 private:
  const std::shared_ptr<HttpConnection> connection_;
  const std::uint64_t id_;
  const Request request_;
  Headers common_;
};

HttpConnection::HttpConnection(Stream stream, const HttpOptions& options, BodyBytes& body_bytes)
    : stream_(std::move(stream)),
      strand_(stream_.get_executor()),
      timer_(strand_),
      options_(options),
      body_bytes_(body_bytes),
      body_share_(body_bytes),
      // A header slightly over the limit still fits, so that the parser reports the error.
      buffer_(options.limits.header_bytes + kReadBytes) {}

void HttpConnection::Start() {
  net::post(strand_, [self = shared_from_this()] {
    if (!self->stream_.is_tls()) return self->Next();
    self->Arm(self->limits_.header_time);
    self->stream_.async_handshake([self](ErrorCode error) {
      if (self->state_ == State::kClosed) return;
      if (error) return self->Close();
      self->Next();
    });
  });
}

void HttpConnection::Refuse(std::string_view why) {
  net::post(strand_, [self = shared_from_this(), why] {
    if (self->stream_.is_tls()) return self->Close();
    self->Reject(Busy(why));
  });
}

// Reading.

void HttpConnection::Next() {
  if (draining_) return Close();
  state_ = State::kIdle;
  if (buffer_.size() > 0) return ReadHeader();
  Arm(limits_.idle_time);
  Listen();
}

void HttpConnection::Listen() {
  // Bytes that arrive early wait in the buffer. Once there are any, reading stops, which bounds
  // them.
  if (listening_ || (buffer_.size() > 0 && state_ != State::kLingering)) return;
  listening_ = true;
  stream_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](ErrorCode error, std::size_t count) {
                            self->OnHeard(error, count);
                          });
}

void HttpConnection::OnHeard(ErrorCode error, std::size_t count) {
  listening_ = false;
  if (state_ == State::kClosed) return;
  if (error) return Gone();
  buffer_.commit(count);
  if (state_ == State::kIdle) {
    ReadHeader();
  } else if (state_ == State::kLingering) {
    lingered_bytes_ += count;
    buffer_.clear();
    if (lingered_bytes_ > kMaxLingerBytes) return Close();
    Listen();
  }
}

void HttpConnection::ReadHeader() {
  state_ = State::kReading;
  Arm(limits_.header_time);
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
  parser_->body_limit(limits_.body_bytes);
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](ErrorCode error, std::size_t) { self->OnHeader(error); });
}

void HttpConnection::OnHeader(ErrorCode error) {
  if (state_ == State::kClosed) return;
  if (error) return OnBadRequest(error);
  const auto& message = parser_->get();
  // The request is copied here, before the parser adds a trailer's fields to the message: they are
  // not part of the header.
  request_ = ToRequest(message);
  close_after_ = !message.keep_alive();
  chunked_ = message.version() >= 11;
  without_body_ = message.method() == http::verb::head;
  asks_for_web_socket_ = beast::websocket::is_upgrade(message);
  if (auto refusal = Refusal(request_, {chunked_, asks_for_web_socket_})) {
    return Reject(*std::move(refusal));
  }
  Arm(limits_.body_time);
  if (!chunked_ || parser_->is_done() || !request_.headers.Has("expect")) return ReadBody();
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  net::async_write(stream_, net::buffer(kContinue),
                   [self = shared_from_this()](ErrorCode write_error, std::size_t) {
                     if (self->state_ == State::kClosed) return;
                     if (write_error) return self->Gone();
                     self->ReadBody();
                   });
}

void HttpConnection::ReadBody() {
  if (parser_->is_done()) return OnRequest();
  http::async_read_some(stream_, buffer_, *parser_,
                        [self = shared_from_this()](ErrorCode error, std::size_t) {
                          if (self->state_ == State::kClosed) return;
                          if (error) return self->OnBadRequest(error);
                          if (!self->body_share_.Resize(self->parser_->get().body().size())) {
                            return self->Reject(Busy("too many request bodies are in flight"));
                          }
                          self->ReadBody();
                        });
}

void HttpConnection::OnRequest() {
  Disarm();
  BeginExchange(request_.method);
  request_.body = std::move(parser_->get().body());
  Guard(exchange_, [&] {
    options_.handler(std::make_shared<OneExchange>(shared_from_this(), std::move(request_)));
  });
  if (state_ == State::kAnswering) Listen();
}

void HttpConnection::Reject(Response response) {
  Disarm();
  BeginExchange(request_.method);
  close_after_ = true;
  Send(exchange_, {}, std::move(response));
}

void HttpConnection::OnBadRequest(ErrorCode error) {
  using absl::StatusCode;
  Response response;
  if (timed_out_) {
    response = Problem(408, StatusCode::kDeadlineExceeded, "the request took too long to arrive");
  } else if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    response = Problem(431, StatusCode::kResourceExhausted,
                       fmt::format("the header has more than {} bytes", limits_.header_bytes));
  } else if (error == http::error::body_limit) {
    response = Problem(413, StatusCode::kResourceExhausted,
                       fmt::format("the body has more than {} bytes", limits_.body_bytes));
  } else if (error == http::error::bad_version) {
    response = Problem(505, StatusCode::kUnimplemented, "only HTTP/1.0 and 1.1 are supported");
  } else if (error.category() == http::make_error_code(http::error::bad_method).category() &&
             error != http::error::end_of_stream && error != http::error::partial_message) {
    response = Problem(400, StatusCode::kInvalidArgument,
                       fmt::format("this is not an HTTP/1.1 request: {}", error.message()));
  } else {
    return Gone();
  }
  request_ = {};
  without_body_ = false;
  Reject(std::move(response));
}

void HttpConnection::BeginExchange(std::string_view method) {
  state_ = State::kAnswering;
  ++exchange_;
  answered_ = false;
  begun_ = false;
  arrived_ = std::chrono::steady_clock::now();
  method_ = method;
  route_ = {};
}

template <class Work>
void HttpConnection::Guard(std::uint64_t id, const Work& work) {
  std::string what;
  try {
    work();
    return;
  } catch (const std::exception& error) {
    what = error.what();
  }
  service::Log(service::Level::kError, "handler_failed",
               {{"method", method_}, {"route", std::string(route_)}, {"error", what}});
  if (!IsCurrent(id)) return;
  if (begun_) return Gone();
  close_after_ = true;
  Send(id, {},
       Problem(500, absl::StatusCode::kInternal, "the gateway failed to handle this request"));
}

// Writing.

std::string HttpConnection::HeaderText(const Response& response, const Headers& common) {
  close_after_ = close_after_ || draining_;
  // Beast's fields aren't used, because they throw for a value over 64 KiB.
  std::string text =
      fmt::format("HTTP/1.1 {} {}\r\n", response.status,
                  View(http::obsolete_reason(static_cast<http::status>(response.status))));
  for (const Headers* headers : {&response.headers, &common}) {
    for (const auto& [name, value] : *headers) text += fmt::format("{}: {}\r\n", name, value);
  }
  text += absl::FormatTime("date: %a, %d %b %Y %H:%M:%S GMT\r\n", absl::Now(), absl::UTCTimeZone());
  text += "x-content-type-options: nosniff\r\n";
  if (close_after_) text += "connection: close\r\n";
  return text + "\r\n";
}

void HttpConnection::Send(std::uint64_t id, Headers common, Response response) {
  if (!IsCurrent(id)) return;
  NotifyObserver(response.status);
  const std::size_t length = response.body ? response.body->size() : 0;
  if (response.status != 204 && response.status != 304) {
    response.headers.Add("content-length", std::to_string(length));
  }
  Output output{
      .before = HeaderText(response, common), .piece = nullptr, .after = {}, .written = {}};
  if (!without_body_ && length > 0) output.piece = std::move(response.body);
  output.written = [this] { EndExchange(); };
  answered_ = true;
  gone_ = nullptr;
  drain_ = nullptr;
  Put(std::move(output));
}

void HttpConnection::Begin(std::uint64_t id, Headers common, Response head) {
  if (!IsCurrent(id)) return;
  begun_ = true;
  NotifyObserver(head.status);
  if (chunked_) {
    head.headers.Add("transfer-encoding", "chunked");
  } else {
    close_after_ = true;  // HTTP/1.0: the end of the connection is the end of the answer.
  }
  Put({.before = HeaderText(head, common), .piece = nullptr, .after = {}, .written = {}});
}

void HttpConnection::Write(std::uint64_t id, SharedBytes piece, std::function<void()> written) {
  if (!IsCurrent(id)) return;
  if (without_body_) return Put({.before = {}, .piece = nullptr, .after = {}, .written = written});
  if (!chunked_)
    return Put({.before = {}, .piece = std::move(piece), .after = {}, .written = written});
  std::string size = fmt::format("{:x}\r\n", piece->size());
  Put({.before = std::move(size),
       .piece = std::move(piece),
       .after = "\r\n",
       .written = std::move(written)});
}

void HttpConnection::End(std::uint64_t id) {
  if (!IsCurrent(id)) return;
  answered_ = true;
  gone_ = nullptr;
  drain_ = nullptr;
  Put({.before = chunked_ && !without_body_ ? "0\r\n\r\n" : "",
       .piece = nullptr,
       .after = {},
       .written = [this] { EndExchange(); }});
}

void HttpConnection::Abort(std::uint64_t id) {
  if (!IsCurrent(id)) return;
  Close();
}

void HttpConnection::NotifyObserver(int status) {
  if (options_.observer == nullptr) return;
  options_.observer->Answered(method_, route_, status, std::chrono::steady_clock::now() - arrived_);
}

void HttpConnection::Put(Output output) {
  outputs_.push_back(std::move(output));
  Advance();
}

/// The only function that writes.
void HttpConnection::Advance() {
  if (writing_ || outputs_.empty() || state_ == State::kClosed) return;
  writing_ = true;
  const Output& output = outputs_.front();
  const std::array<net::const_buffer, 3> buffers = {
      net::buffer(output.before), output.piece ? net::buffer(*output.piece) : net::const_buffer(),
      net::buffer(output.after.data(), output.after.size())};
  Arm(limits_.stall_time);
  // Asio calls this after each partial write. Progress restarts the timeout.
  const auto go_on = [self = shared_from_this(), done = std::size_t{0}](
                         const ErrorCode& error, std::size_t count) mutable -> std::size_t {
    if (error) return 0;
    if (count > std::exchange(done, count)) self->Arm(self->limits_.stall_time);
    return 64 << 10;
  };
  net::async_write(
      stream_, buffers, go_on,
      [self = shared_from_this()](ErrorCode error, std::size_t) { self->OnWritten(error); });
}

void HttpConnection::OnWritten(ErrorCode error) {
  writing_ = false;
  if (state_ == State::kClosed) return;
  if (error) return Gone();
  Disarm();
  const auto written = std::move(outputs_.front().written);
  outputs_.pop_front();
  if (written) Guard(exchange_, written);
  Advance();
}

// Ends.

void HttpConnection::EndExchange() {
  ++exchange_;
  answered_ = false;
  parser_.reset();
  body_share_.Resize(0);
  if (close_after_ || draining_) {
    Linger();
  } else {
    Next();
  }
}

void HttpConnection::Linger() {
  state_ = State::kLingering;
  ErrorCode error;
  stream_.next_layer().shutdown(Tcp::socket::shutdown_send, error);
  if (error) return Close();
  Arm(kLinger);
  buffer_.clear();
  Listen();
}

void HttpConnection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  Disarm();
  ErrorCode ignored;  // Closed is what it shall be.
  stream_.next_layer().close(ignored);
  outputs_.clear();
  body_share_.Resize(0);
  gone_ = nullptr;
  drain_ = nullptr;
}

void HttpConnection::Gone() {
  if (state_ == State::kClosed) return;
  const auto gone = std::exchange(gone_, nullptr);
  Close();
  if (gone) Guard(exchange_, gone);
}

void HttpConnection::StartDrain() {
  net::post(strand_, [self = shared_from_this()] {
    self->draining_ = true;
    if (self->state_ == State::kIdle) return self->Close();
    if (const auto drain = std::exchange(self->drain_, nullptr))
      self->Guard(self->exchange_, drain);
  });
}

void HttpConnection::Cut() {
  net::post(strand_, [self = shared_from_this()] { self->Gone(); });
}

void HttpConnection::Arm(std::chrono::milliseconds patience) {
  timer_.expires_after(patience);
  timer_.async_wait([weak = weak_from_this()](ErrorCode error) {
    const auto self = weak.lock();
    // If the timer was armed again after this callback was queued, it hasn't expired.
    if (error || self == nullptr || self->timer_.expiry() > net::steady_timer::clock_type::now()) {
      return;
    }
    self->OnTimeout();
  });
}

void HttpConnection::Disarm() { timer_.expires_at(net::steady_timer::time_point::max()); }

void HttpConnection::OnTimeout() {
  if (state_ == State::kReading && !std::exchange(timed_out_, true)) {
    ErrorCode ignored;  // The read that is under way ends, and says so to OnBadRequest.
    stream_.next_layer().cancel(ignored);
  } else {
    Gone();
  }
}

}  // namespace ridestream::gateway
