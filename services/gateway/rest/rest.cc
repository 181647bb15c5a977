#include "services/gateway/rest/rest.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "libs/base/validation.h"
#include "libs/rpc/market.h"
#include "libs/rpc/request_id.h"
#include "services/gateway/call/metadata.h"
#include "services/gateway/http/problem.h"
#include "services/gateway/rest/event_stream.h"
#include "services/gateway/rest/transcoder.h"

namespace ridestream::gateway {
namespace {

/// One unary call. Runs on the exchange's strand, and is kept alive by the callbacks that it gave
/// to the call.
class RestCall final : public std::enable_shared_from_this<RestCall> {
 public:
  RestCall(const Route& route, std::shared_ptr<Exchange> exchange)
      : route_(route), exchange_(std::move(exchange)) {}

  void Run(const CallOptions& options, std::string_view message) {
    const auto self = shared_from_this();
    const auto call =
        StartCall(*route_.method, options,
                  {.post = [exchange = exchange_](auto work) { exchange->Post(std::move(work)); },
                   .on_headers = [self](const Headers& headers) { self->headers_ = headers; },
                   .on_message = [self](std::string bytes) { self->OnMessage(std::move(bytes)); },
                   .on_written = nullptr,
                   .on_end = [self](const absl::Status& status,
                                    const Headers& trailers) { self->OnEnd(status, trailers); }});
    call_ = call;
    exchange_->OnGone([call] { call->Cancel(); });
    call->Write(message, /*last=*/true);
    call->Read();
  }

 private:
  void OnMessage(std::string bytes) {
    message_ = std::move(bytes);
    if (const auto call = call_.lock()) call->Read();
  }

  void OnEnd(const absl::Status& status, const Headers& trailers) {
    if (!status.ok()) return exchange_->Send(CallProblem(status, trailers));
    auto json = MessageToJson(*route_.method->descriptor->output_type(), message_);
    if (!json.ok()) return exchange_->Send(Problem(json.status()));
    Response response{
        .status = 200,
        .headers = {{"content-type", "application/json"}, {"cache-control", "no-store"}},
        .body = Share(*std::move(json) + "\n")};
    for (const auto& [name, value] : headers_) response.headers.Add(name, value);
    exchange_->Send(std::move(response));
  }

  const Route& route_;
  const std::shared_ptr<Exchange> exchange_;
  std::weak_ptr<Call> call_;
  Headers headers_;
  std::string message_;
};

/// Sets the call's market from the path, such as /v1/markets/porto/quotes.
absl::Status NameMarket(const Variables& variables, CallOptions& call) {
  const auto market = std::find_if(variables.begin(), variables.end(),
                                   [](const auto& each) { return each.first == "market"; });
  if (market == variables.end()) return absl::OkStatus();
  if (absl::Status status = ValidateId(market->second, "market"); !status.ok()) return status;
  if (!call.metadata.Has(rpc::kMarketKey)) call.metadata.Add(rpc::kMarketKey, market->second);
  if (call.metadata.Get(rpc::kMarketKey) == market->second) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("header '{}': names another market than the path", rpc::kMarketKey));
}

}  // namespace

Response CallProblem(const absl::Status& status, const Headers& trailers) {
  Response response = Problem(status);
  for (const auto& [name, value] : trailers) response.headers.Add(name, value);
  std::int64_t pause_ms = 0;
  const std::string_view pause = trailers.Get("retry-after-ms");
  if (absl::SimpleAtoi(absl::string_view(pause.data(), pause.size()), &pause_ms) && pause_ms >= 0) {
    // Retry-After has a resolution of one second.
    response.headers.Add("retry-after", std::to_string((pause_ms + 999) / 1000));
  }
  return response;
}

void ServeRest(const Routes::Found& found, const RestOptions& options,
               const std::shared_ptr<Exchange>& exchange) {
  const Route& route = *found.route;
  const Request& request = exchange->request();
  auto call = CallOptionsFromHeaders(request.headers);
  if (!call.ok()) return exchange->Send(Problem(call.status()));
  exchange->AddHeaders({{rpc::kRequestIdKey, call->request_id}});
  const absl::Status proven = options.credentials.Prove(request.headers, *call);
  if (!proven.ok()) return exchange->Send(Problem(proven));
  const std::string_view type = request.headers.Get("content-type");
  if (route.has_body && !request.body.empty() && MediaType(type) != "application/json") {
    return exchange->Send(
        Problem(415, absl::StatusCode::kInvalidArgument,
                fmt::format("content-type: must be application/json, is '{}'", type)));
  }
  const bool streams = route.method->server_streaming();
  auto resume = streams ? ReadLastEventId(found, request) : absl::StatusOr<Resume>(Resume());
  if (!resume.ok()) return exchange->Send(Problem(resume.status()));
  const auto message = RequestToMessage(route, found.variables, request, resume->after);
  if (!message.ok()) return exchange->Send(Problem(message.status()));
  if (absl::Status status = NameMarket(found.variables, *call); !status.ok()) {
    return exchange->Send(Problem(status));
  }
  if (streams) {
    if (request.method == "HEAD") {
      // HEAD on a stream gets the headers of a GET. No call is made, because it would never end.
      exchange->Begin(EventsHead());
      return exchange->End();
    }
    return ServeEvents(route, *std::move(resume), options, *call, *message, exchange);
  }
  if (!call->timeout) call->timeout = options.default_timeout;
  std::make_shared<RestCall>(route, exchange)->Run(*call, *message);
}

}  // namespace ridestream::gateway
