#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "tests/bench/wire/http.h"
#include "tests/bench/wire/protocol.h"

namespace ridestream::bench::wire {
namespace {

constexpr char kGrpcWebType[] = "application/grpc-web+proto";
constexpr char kGrpcWebService[] = "/ridestream.bench.wire.Wire/";
constexpr std::size_t kFrameHeader = 5;

/// A byte of flags, the length in big-endian order, and the bytes.
std::string Frame(char flags, std::string_view bytes) {
  std::string frame(1, flags);
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame += static_cast<char>(bytes.size() >> shift & 0xff);
  }
  return frame.append(bytes);
}

/// The payload of the first frame, or nothing when it isn't whole yet.
std::optional<std::string_view> FirstFrame(std::string_view bytes) {
  if (bytes.size() < kFrameHeader) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 1; i < kFrameHeader; ++i) {
    length = length << 8 | static_cast<unsigned char>(bytes[i]);
  }
  if (bytes.size() < kFrameHeader + length) return std::nullopt;
  return bytes.substr(kFrameHeader, length);
}

/// Calls `answer` with the message of the request, and frames what it returns.
template <class Request, class Answer>
HttpResponse AnswerFrame(const HttpRequest& http_request, Answer answer) {
  Request request;
  const auto message = FirstFrame(http_request.body());
  if (!message.has_value() ||
      !request.ParseFromArray(message->data(), static_cast<int>(message->size()))) {
    return MakeResponse(kGrpcWebType, Frame('\x80', "grpc-status: 3\r\n"));
  }
  return MakeResponse(kGrpcWebType, Frame(0, answer(request).SerializeAsString()) +
                                        Frame('\x80', "grpc-status: 0\r\n"));
}

net::awaitable<void> PushFrames(Tcp::socket& socket, const Application& application) {
  ErrorCode error;
  co_await BeginChunks(socket, kGrpcWebType, error);
  for (std::uint64_t sequence = 1; !error; ++sequence) {
    co_await Pause(socket, application.offer_every(), error);
    const std::string message = Application::MakeOffer(sequence).SerializeAsString();
    co_await WriteChunk(socket, Frame(0, message), error);
  }
}

absl::Status ServeGrpcWeb(Application& application, const std::function<void(int)>& serving) {
  return ServeHttp(
      [&application](Tcp::socket& socket,
                     HttpRequest& request) -> net::awaitable<std::optional<HttpResponse>> {
        const std::string method(request.target().substr(sizeof kGrpcWebService - 1));
        if (method == "ReportPosition") {
          co_return AnswerFrame<Position>(request, [&](const Position& position) {
            return application.TakePosition(position);
          });
        }
        if (method == "QuoteTrip") {
          co_return AnswerFrame<QuoteTripRequest>(
              request, [&](const QuoteTripRequest& trip) { return application.Quote(trip); });
        }
        co_await PushFrames(socket, application);
        co_return std::nullopt;
      },
      serving);
}

class GrpcWebClient final : public Client {
 public:
  absl::Status Connect(int port) { return http_.Connect(port); }

  absl::Status Report(std::span<const Position> positions) override {
    for (const Position& position : positions) {
      const auto ack = Call<Ack>("ReportPosition", position);
      if (!ack.ok()) return ack.status();
    }
    return absl::OkStatus();
  }
  absl::StatusOr<QuoteTripResponse> Quote(const QuoteTripRequest& request) override {
    return Call<QuoteTripResponse>("QuoteTrip", request);
  }
  absl::Status Subscribe() override {
    HttpRequest request = Prepare("WatchOffers", dispatch::v1::Heartbeat());
    return http_.Open(request);
  }
  absl::StatusOr<DriveResponse> NextOffer() override {
    std::string& bytes = http_.pushed();
    auto message = FirstFrame(bytes);
    while (!message.has_value()) {
      if (absl::Status status = http_.ReadMore(); !status.ok()) return status;
      message = FirstFrame(bytes);
    }
    DriveResponse response;
    if (bytes.front() != 0 ||
        !response.ParseFromArray(message->data(), static_cast<int>(message->size()))) {
      return absl::InternalError("the push isn't a DriveResponse");
    }
    message_bytes_ += message->size();
    bytes.erase(0, kFrameHeader + message->size());
    return response;
  }

 private:
  HttpRequest Prepare(const std::string& method, const google::protobuf::Message& message) const {
    HttpRequest request = http_.Prepare(http::verb::post, kGrpcWebService + method);
    request.set(http::field::content_type, kGrpcWebType);
    request.set("X-Grpc-Web", "1");
    request.body() = Frame(0, message.SerializeAsString());
    return request;
  }
  template <class Response>
  absl::StatusOr<Response> Call(const std::string& method,
                                const google::protobuf::Message& message) {
    HttpRequest request = Prepare(method, message);
    const auto http_response = http_.Exchange(request);
    if (!http_response.ok()) return http_response.status();
    const std::string_view body = http_response->body();
    const auto answer = FirstFrame(body);
    if (!answer.has_value()) return absl::InternalError("the response has no whole frame");
    const auto trailers = FirstFrame(body.substr(kFrameHeader + answer->size()));
    if (trailers != "grpc-status: 0\r\n") {
      return absl::InternalError(absl::StrCat("the call failed: ", std::string(*answer)));
    }
    Response response;
    if (!response.ParseFromArray(answer->data(), static_cast<int>(answer->size()))) {
      return absl::InternalError("the response can't be parsed");
    }
    message_bytes_ += request.body().size() - kFrameHeader + answer->size();
    return response;
  }

  HttpClient http_;
};

}  // namespace

Protocol GrpcWeb() {
  return {.key = "grpc_web",
          .title = "gRPC-Web (HTTP/1.1)",
          .has_calls = true,
          .has_push = true,
          .serve = ServeGrpcWeb,
          .connect = [](int port) -> absl::StatusOr<std::unique_ptr<Client>> {
            auto client = std::make_unique<GrpcWebClient>();
            if (absl::Status status = client->Connect(port); !status.ok()) return status;
            return client;
          },
          .sources = {"grpc_web.cc", "http.h"},
          .contracts = {"wire.proto"}};
}

}  // namespace ridestream::bench::wire
