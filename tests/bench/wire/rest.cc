#include "tests/bench/wire/http.h"
#include "tests/bench/wire/json.h"
#include "tests/bench/wire/json_by_hand.h"
#include "tests/bench/wire/protocol.h"

namespace ridestream::bench::wire {
namespace {

constexpr char kJsonType[] = "application/json";

/// JSON by protobuf's reflection.
struct ByReflection {
  static absl::StatusOr<std::string> To(const google::protobuf::Message& message) {
    return ToJson(message);
  }
  template <class Message>
  static absl::Status From(const std::string& json, Message& message) {
    return FromJson(json, message);
  }
};

/// JSON field by field.
struct ByHand {
  template <class Message>
  static absl::StatusOr<std::string> To(const Message& message) {
    return by_hand::ToJson(message);
  }
  template <class Message>
  static absl::Status From(const std::string& json, Message& message) {
    return by_hand::FromJson(json, message);
  }
};

template <class Json, class Request, class Answer>
HttpResponse AnswerJson(const HttpRequest& http_request, Answer answer) {
  Request request;
  absl::Status status = Json::From(http_request.body(), request);
  if (status.ok()) {
    const auto json = Json::To(answer(request));
    if (json.ok()) return MakeResponse(kJsonType, *json);
    status = json.status();
  }
  HttpResponse response = MakeResponse("text/plain", status.ToString());
  response.result(http::status::bad_request);
  return response;
}

template <class Json>
absl::Status ServeRest(Application& application, const std::function<void(int)>& serving) {
  return ServeHttp(
      [&application](Tcp::socket& /*socket*/,
                     HttpRequest& request) -> net::awaitable<std::optional<HttpResponse>> {
        if (request.target() == "/v1/positions") {
          co_return AnswerJson<Json, Position>(request, [&](const Position& position) {
            return application.TakePosition(position);
          });
        }
        if (request.target() == "/v1/quotes") {
          co_return AnswerJson<Json, QuoteTripRequest>(
              request, [&](const QuoteTripRequest& trip) { return application.Quote(trip); });
        }
        co_return AnswerJson<Json, Ack>(request,
                                        [&](const Ack& ack) { return application.PollOffer(ack); });
      },
      serving);
}

template <class Json>
class RestClient final : public Client {
 public:
  absl::Status Connect(int port) { return http_.Connect(port); }

  absl::Status Report(std::span<const Position> positions) override {
    for (const Position& position : positions) {
      const auto ack = Call<Ack>("/v1/positions", position);
      if (!ack.ok()) return ack.status();
    }
    return absl::OkStatus();
  }
  absl::StatusOr<QuoteTripResponse> Quote(const QuoteTripRequest& request) override {
    return Call<QuoteTripResponse>("/v1/quotes", request);
  }
  absl::Status Subscribe() override { return NextOffer().status(); }
  absl::StatusOr<DriveResponse> NextOffer() override {
    auto response = Call<DriveResponse>("/v1/offers:poll", last_);
    if (response.ok() && response->has_offer()) last_.set_sequence(response->sequence());
    return response;
  }

 private:
  template <class Response, class Request>
  absl::StatusOr<Response> Call(const std::string& path, const Request& message) {
    HttpRequest request = http_.Prepare(http::verb::post, path);
    request.set(http::field::content_type, kJsonType);
    const auto json = Json::To(message);
    if (!json.ok()) return json.status();
    request.body() = *json;
    const auto http_response = http_.Exchange(request);
    if (!http_response.ok()) return http_response.status();
    message_bytes_ += request.body().size() + http_response->body().size();
    Response response;
    if (absl::Status status = Json::From(http_response->body(), response); !status.ok()) {
      return status;
    }
    return response;
  }

  HttpClient http_;
  Ack last_;
};

template <class Json>
Protocol MakeRest(std::string key, std::string title, std::string json_source) {
  return {.key = std::move(key),
          .title = std::move(title),
          .has_calls = true,
          .has_push = false,
          .serve = ServeRest<Json>,
          .connect = [](int port) -> absl::StatusOr<std::unique_ptr<Client>> {
            auto client = std::make_unique<RestClient<Json>>();
            if (absl::Status status = client->Connect(port); !status.ok()) return status;
            return client;
          },
          .sources = {"rest.cc", "http.h", std::move(json_source)},
          .contracts = {}};
}

}  // namespace

Protocol Rest() { return MakeRest<ByReflection>("rest", "REST, JSON by protobuf", "json.h"); }

Protocol RestByHand() {
  return MakeRest<ByHand>("rest_by_hand", "REST, JSON by nlohmann", "json_by_hand.h");
}

}  // namespace ridestream::bench::wire
