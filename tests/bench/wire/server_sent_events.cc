#include <cstdint>
#include <string>

#include "tests/bench/wire/http.h"
#include "tests/bench/wire/json.h"
#include "tests/bench/wire/protocol.h"

namespace ridestream::bench::wire {
namespace {

net::awaitable<void> PushEvents(Tcp::socket& socket, const Application& application) {
  ErrorCode error;
  co_await BeginChunks(socket, "text/event-stream", error);
  for (std::uint64_t sequence = 1; !error; ++sequence) {
    co_await Pause(socket, application.offer_every(), error);
    const auto json = ToJson(Application::MakeOffer(sequence));
    if (!json.ok()) co_return;
    co_await WriteChunk(socket, "id: " + std::to_string(sequence) + "\ndata: " + *json + "\n\n",
                        error);
  }
}

absl::Status ServeEvents(Application& application, const std::function<void(int)>& serving) {
  return ServeHttp(
      [&application](Tcp::socket& socket,
                     HttpRequest& /*request*/) -> net::awaitable<std::optional<HttpResponse>> {
        co_await PushEvents(socket, application);
        co_return std::nullopt;
      },
      serving);
}

class EventClient final : public Client {
 public:
  absl::Status Connect(int port) { return http_.Connect(port); }

  absl::Status Report(std::span<const Position> /*positions*/) override {
    return absl::UnimplementedError("Server-Sent Events only push");
  }
  absl::StatusOr<QuoteTripResponse> Quote(const QuoteTripRequest& /*request*/) override {
    return absl::UnimplementedError("Server-Sent Events only push");
  }
  absl::Status Subscribe() override {
    HttpRequest request = http_.Prepare(http::verb::get, "/v1/offers:watch");
    request.set(http::field::accept, "text/event-stream");
    return http_.Open(request);
  }
  absl::StatusOr<DriveResponse> NextOffer() override {
    std::string& text = http_.pushed();
    std::size_t end;
    while ((end = text.find("\n\n")) == std::string::npos) {
      if (absl::Status status = http_.ReadMore(); !status.ok()) return status;
    }
    const std::size_t data = text.find("\ndata: ");
    if (data >= end) return absl::InternalError("the event has no data");
    const std::string json = text.substr(data + 7, end - data - 7);
    text.erase(0, end + 2);
    DriveResponse response;
    if (absl::Status status = FromJson(json, response); !status.ok()) return status;
    message_bytes_ += json.size();
    return response;
  }

 private:
  HttpClient http_;
};

}  // namespace

Protocol ServerSentEvents() {
  return {.key = "sse",
          .title = "Server-Sent Events",
          .has_calls = false,
          .has_push = true,
          .serve = ServeEvents,
          .connect = [](int port) -> absl::StatusOr<std::unique_ptr<Client>> {
            auto client = std::make_unique<EventClient>();
            if (absl::Status status = client->Connect(port); !status.ok()) return status;
            return client;
          },
          .sources = {"server_sent_events.cc", "http.h", "json.h"},
          .contracts = {}};
}

}  // namespace ridestream::bench::wire
