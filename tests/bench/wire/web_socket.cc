#include <boost/beast/websocket.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "tests/bench/wire/http.h"
#include "tests/bench/wire/protocol.h"

namespace ridestream::bench::wire {
namespace {

namespace websocket = boost::beast::websocket;
using Socket = websocket::stream<Tcp::socket&>;

template <class Message>
bool Parse(const beast::flat_buffer& buffer, Message& message) {
  return message.ParseFromArray(buffer.data().data(), static_cast<int>(buffer.size()));
}

net::awaitable<void> Write(Socket& socket, const google::protobuf::Message& message,
                           ErrorCode& error) {
  const std::string bytes = message.SerializeAsString();
  co_await socket.async_write(net::buffer(bytes), net::redirect_error(net::use_awaitable, error));
}

/// Takes messages until the peer closes, or sends one that can't be parsed.
net::awaitable<void> ServeMessages(Socket& socket, bool positions, Application& application) {
  ErrorCode error;
  beast::flat_buffer buffer;
  while (!error) {
    co_await socket.async_read(buffer, net::redirect_error(net::use_awaitable, error));
    if (error) break;
    Position position;
    QuoteTripRequest request;
    if (positions ? !Parse(buffer, position) : !Parse(buffer, request)) break;
    buffer.clear();
    if (!positions) {
      co_await Write(socket, application.Quote(request), error);
      continue;
    }
    const Ack ack = application.TakePosition(position);
    if (position.sequence() % kWindow == 0) co_await Write(socket, ack, error);
  }
}

net::awaitable<void> PushMessages(Socket& socket, const Application& application) {
  ErrorCode error;
  for (std::uint64_t sequence = 1; !error; ++sequence) {
    co_await Pause(socket.next_layer(), application.offer_every(), error);
    co_await Write(socket, Application::MakeOffer(sequence), error);
  }
}

absl::Status ServeWebSocket(Application& application, const std::function<void(int)>& serving) {
  return ServeHttp(
      [&application](Tcp::socket& tcp,
                     HttpRequest& request) -> net::awaitable<std::optional<HttpResponse>> {
        ErrorCode error;
        Socket socket(tcp);
        socket.binary(true);
        co_await socket.async_accept(request, net::redirect_error(net::use_awaitable, error));
        if (error) co_return std::nullopt;
        if (request.target() == "/offers") {
          co_await PushMessages(socket, application);
        } else {
          co_await ServeMessages(socket, request.target() == "/positions", application);
        }
        co_return std::nullopt;
      },
      serving);
}

/// Performs a single task all its life, which the path of its socket names.
class WebSocketClient final : public Client {
 public:
  explicit WebSocketClient(int port) : port_(port) {}

  absl::Status Report(std::span<const Position> positions) override {
    absl::Status status = Open("/positions");
    for (const Position& position : positions) {
      if (status.ok()) status = Send(position);
    }
    Ack ack;
    return status.ok() ? Receive(ack) : status;
  }
  absl::StatusOr<QuoteTripResponse> Quote(const QuoteTripRequest& request) override {
    QuoteTripResponse response;
    absl::Status status = Open("/quotes");
    if (status.ok()) status = Send(request);
    if (status.ok()) status = Receive(response);
    if (!status.ok()) return status;
    return response;
  }
  absl::Status Subscribe() override { return Open("/offers"); }
  absl::StatusOr<DriveResponse> NextOffer() override {
    DriveResponse response;
    if (absl::Status status = Receive(response); !status.ok()) return status;
    return response;
  }

 private:
  absl::Status Open(const std::string& path) {
    if (socket_ != nullptr) return absl::OkStatus();
    http_ = std::make_unique<HttpClient>();
    if (absl::Status status = http_->Connect(port_); !status.ok()) return status;
    socket_ = std::make_unique<Socket>(http_->socket());
    socket_->binary(true);
    ErrorCode error;
    socket_->handshake(http_->host(), path, error);
    return error ? ToAbslStatus(error) : absl::OkStatus();
  }
  absl::Status Send(const google::protobuf::Message& message) {
    const std::string bytes = message.SerializeAsString();
    ErrorCode error;
    socket_->write(net::buffer(bytes), error);
    message_bytes_ += bytes.size();
    return error ? ToAbslStatus(error) : absl::OkStatus();
  }
  absl::Status Receive(google::protobuf::Message& message) {
    ErrorCode error;
    beast::flat_buffer& buffer = http_->buffer();
    socket_->read(buffer, error);
    if (error) return ToAbslStatus(error);
    if (!Parse(buffer, message)) return absl::InternalError("the message can't be parsed");
    message_bytes_ += buffer.size();
    buffer.clear();
    return absl::OkStatus();
  }

  const int port_;
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<Socket> socket_;
};

}  // namespace

Protocol WebSocket() {
  return {.key = "web_socket",
          .title = "WebSocket, protobuf",
          .has_calls = true,
          .has_push = true,
          .serve = ServeWebSocket,
          .connect = [](int port) { return std::make_unique<WebSocketClient>(port); },
          .sources = {"web_socket.cc", "http.h"},
          .contracts = {}};
}

}  // namespace ridestream::bench::wire
