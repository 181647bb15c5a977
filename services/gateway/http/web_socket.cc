#include "services/gateway/http/web_socket.h"

#include <exception>
#include <utility>

#include "libs/service/service.h"
#include "services/gateway/http/problem.h"

namespace ridestream::gateway {

namespace websocket = beast::websocket;

namespace {

// Bytes of a message that are read at a time.
constexpr std::size_t kMessagePieceBytes = 64 << 10;

}  // namespace

BeastWebSocket::BeastWebSocket(Stream stream, const HttpLimits& limits, std::size_t max_message,
                               BodyBytes& body_bytes)
    : stream_(std::move(stream)),
      stall_timer_(stream_.get_executor()),
      message_timer_(stream_.get_executor()),
      limits_(limits),
      body_share_(body_bytes) {
  websocket::stream_base::timeout timeout;
  timeout.handshake_timeout = limits.header_time;
  timeout.idle_timeout = limits.stall_time;
  timeout.keep_alive_pings = true;
  stream_.set_option(timeout);
  stream_.read_message_max(max_message);
  stream_.binary(true);
}

void BeastWebSocket::Start(beast::http::request<beast::http::string_body> request,
                           std::string_view subprotocol) {
  request_ = std::move(request);
  stream_.set_option(websocket::stream_base::decorator(
      [name = std::string(subprotocol)](websocket::response_type& response) {
        response.set(beast::http::field::sec_websocket_protocol, name);
      }));
  stream_.async_accept(request_,
                       [self = shared_from_this()](ErrorCode error) { self->OnAccepted(error); });
}

void BeastWebSocket::OnAccepted(ErrorCode error) {
  if (error) return Gone();
  accepted_ = true;
  if (got_) StartRead();
  if (message_) StartWrite();
  if (closing_ && !message_) StartClose();
}

template <class Work>
void BeastWebSocket::Guard(const Work& work) {
  try {
    work();
  } catch (const std::exception& error) {
    service::Log(service::Level::kError, "handler_failed", {{"error", error.what()}});
    Gone();
  }
}

void BeastWebSocket::Post(std::function<void()> work) {
  net::post(stream_.get_executor(),
            [self = shared_from_this(), work = std::move(work)] { self->Guard(work); });
}

void BeastWebSocket::After(std::chrono::milliseconds delay, std::function<void()> work) {
  RunAfter(stream_.get_executor(), delay, weak_from_this(), [this, work = std::move(work)] {
    if (!closed_) Guard(work);
  });
}

void BeastWebSocket::OnGone(std::function<void()> gone) {
  if (!closed_) gone_ = std::move(gone);
}

void BeastWebSocket::OnDrain(std::function<void()> drain) {
  if (closed_) return;
  drain_ = std::move(drain);
  if (draining_ && drain_)
    Post([self = shared_from_this()] {
      if (auto tell = std::exchange(self->drain_, nullptr)) self->Guard(tell);
    });
}

void BeastWebSocket::Read(std::function<void(std::string, bool)> got) {
  if (closed_ || closing_) return;
  got_ = std::move(got);
  if (accepted_) StartRead();
}

void BeastWebSocket::StartRead() {
  stream_.async_read_some(
      buffer_, kMessagePieceBytes,
      [self = shared_from_this()](ErrorCode error, std::size_t) { self->OnRead(error); });
}

void BeastWebSocket::OnRead(ErrorCode error) {
  if (error) {
    // After our close frame, the peer's close frame ends the reading. StartClose's handler sees it.
    if (!closing_) Gone();
    return;
  }
  if (!stream_.is_message_done()) {
    if (!body_share_.Resize(buffer_.size()))
      return CloseFor(websocket::close_code::try_again_later);
    if (!std::exchange(message_begun_, true)) ArmMessage();
    return StartRead();
  }
  message_begun_ = false;
  message_timer_.cancel();
  body_share_.Resize(0);
  std::string message = beast::buffers_to_string(buffer_.data());
  buffer_.clear();
  if (auto got = std::exchange(got_, nullptr)) {
    Guard([&] { got(std::move(message), stream_.got_binary()); });
  }
}

void BeastWebSocket::CloseFor(websocket::close_code code) {
  const auto gone = std::exchange(gone_, nullptr);
  Close(code, "");
  // The peer may take long to send its own close frame, so the memory is released now.
  buffer_.clear();
  buffer_.shrink_to_fit();
  body_share_.Resize(0);
  if (gone) Guard(gone);
}

void BeastWebSocket::ArmMessage() {
  message_timer_.expires_after(limits_.body_time);
  message_timer_.async_wait([weak = weak_from_this()](ErrorCode error) {
    const auto self = weak.lock();
    if (!error && self != nullptr && self->message_begun_) self->Gone();
  });
}

void BeastWebSocket::Write(SharedBytes message, std::function<void()> written) {
  if (closed_ || closing_) return;
  message_ = std::move(message);
  written_ = std::move(written);
  if (accepted_) StartWrite();
}

void BeastWebSocket::StartWrite() {
  ArmStall();
  stream_.async_write(net::buffer(*message_),
                      [self = shared_from_this()](ErrorCode error, std::size_t) {
                        self->stall_timer_.cancel();
                        self->message_.reset();
                        if (error) return self->Gone();
                        if (auto written = std::exchange(self->written_, nullptr)) {
                          self->Guard(written);
                        }
                        if (self->closing_ && !self->message_) self->StartClose();
                      });
}

void BeastWebSocket::Close(std::uint16_t code, std::string_view reason) {
  if (closed_ || closing_) return;
  closing_.emplace(static_cast<websocket::close_code>(code),
                   beast::string_view(reason.data(), reason.size()));
  gone_ = nullptr;
  drain_ = nullptr;
  got_ = nullptr;
  if (accepted_ && !message_) StartClose();
}

void BeastWebSocket::StartClose() {
  if (std::exchange(close_sent_, true)) return;
  ArmStall();
  stream_.async_close(*closing_, [self = shared_from_this()](ErrorCode) { self->Release(); });
}

void BeastWebSocket::ArmStall() {
  stall_timer_.expires_after(limits_.stall_time);
  stall_timer_.async_wait([weak = weak_from_this()](ErrorCode error) {
    const auto self = weak.lock();
    if (error || self == nullptr ||
        self->stall_timer_.expiry() > net::steady_timer::clock_type::now())
      return;
    self->Gone();
  });
}

void BeastWebSocket::StartDrain() {
  Post([this] {
    draining_ = true;
    if (auto drain = std::exchange(drain_, nullptr)) Guard(drain);
  });
}

void BeastWebSocket::Cut() {
  Post([this] { Gone(); });
}

void BeastWebSocket::Gone() {
  auto gone = std::exchange(gone_, nullptr);
  Release();
  if (gone) Guard(gone);
}

void BeastWebSocket::Release() {
  if (std::exchange(closed_, true)) return;
  stall_timer_.cancel();
  message_timer_.cancel();
  body_share_.Resize(0);
  ErrorCode ignored;  // It may be closed already.
  beast::get_lowest_layer(stream_).close(ignored);
  gone_ = nullptr;
  drain_ = nullptr;
  got_ = nullptr;
  written_ = nullptr;
}

}  // namespace ridestream::gateway
