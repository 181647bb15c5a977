#include "services/gateway/grpc_web/grpc_web.h"

#include <fmt/format.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "libs/rpc/request_id.h"
#include "services/gateway/call/metadata.h"
#include "services/gateway/grpc_web/frame.h"
#include "services/gateway/http/problem.h"

namespace ridestream::gateway {
namespace {

/// One gRPC-Web request. A unary answer is sent whole. A stream is sent frame by frame: the next
/// message is read when the browser's side has taken the frame before. Runs on the exchange's
/// strand, and is kept alive by the callbacks that it gave to the call and the exchange.
class GrpcWebCall final : public std::enable_shared_from_this<GrpcWebCall> {
 public:
  GrpcWebCall(const Method& method, const WebOptions& options, std::shared_ptr<Exchange> exchange)
      : method_(method),
        options_(options),
        exchange_(std::move(exchange)),
        type_(MediaType(exchange_->request().headers.Get("content-type"))),
        text_(type_.starts_with("application/grpc-web-text")) {}

  void Run() {
    const Request& request = exchange_->request();
    auto call = CallOptionsFromHeaders(request.headers);
    if (!call.ok()) return Finish(call.status(), {});
    exchange_->AddHeaders({{rpc::kRequestIdKey, call->request_id}});
    const absl::Status proven = options_.credentials.Prove(request.headers, *call);
    if (!proven.ok()) return Finish(proven, {});
    if (method_.client_streaming()) {
      return Finish(absl::UnimplementedError(
                        "gRPC-Web doesn't support client streams; call over a WebSocket"),
                    {});
    }
    const auto body =
        text_ ? DecodePieces(request.body) : absl::StatusOr<std::string>(request.body);
    if (!body.ok()) return Finish(body.status(), {});
    const auto message = OneMessage(*body);
    if (!message.ok()) return Finish(message.status(), {});
    if (!call->timeout && !method_.server_streaming()) call->timeout = options_.default_timeout;
    Start(*call, *message);
  }

 private:
  void Start(const CallOptions& options, std::string_view message) {
    const auto self = shared_from_this();
    call_ =
        StartCall(method_, options,
                  {.post = [exchange = exchange_](auto work) { exchange->Post(std::move(work)); },
                   .on_headers = [self](const Headers& headers) { self->OnHeaders(headers); },
                   .on_message = [self](std::string bytes) { self->OnMessage(bytes); },
                   .on_written = nullptr,
                   .on_end = [self](const absl::Status& status,
                                    const Headers& trailers) { self->OnEnd(status, trailers); }});
    exchange_->OnGone([call = call_] { call->Cancel(); });
    if (method_.server_streaming()) {
      exchange_->OnDrain([self] {
        self->draining_ = true;
        self->call_->Cancel();
      });
    }
    call_->Write(message, /*last=*/true);
    call_->Read();
  }

  void OnHeaders(const Headers& headers) {
    headers_ = headers;
    if (method_.server_streaming()) Begin();
  }

  void OnMessage(std::string_view message) {
    std::string frame = Encode(DataFrame(message));
    if (method_.server_streaming()) {
      Begin();
      exchange_->Write(Share(std::move(frame)), [call = call_] { call->Read(); });
    } else {
      answer_ += frame;
      call_->Read();
    }
  }

  void OnEnd(const absl::Status& status, const Headers& trailers) {
    Finish(draining_ ? DrainingStatus() : status, trailers);
  }

  void Finish(const absl::Status& status, const Headers& trailers) {
    answer_ += Encode(TrailersFrame(status, trailers));
    if (begun_) {
      exchange_->Write(Share(std::move(answer_)), nullptr);
      exchange_->End();
    } else {
      exchange_->Send({.status = 200, .headers = Head(), .body = Share(std::move(answer_))});
    }
  }

  void Begin() {
    if (!std::exchange(begun_, true)) exchange_->Begin({.status = 200, .headers = Head()});
  }

  Headers Head() const {
    Headers head;
    head.Add("content-type", type_);
    head.Add("cache-control", "no-store");
    for (const auto& [name, value] : headers_) head.Add(name, value);
    return head;
  }

  std::string Encode(std::string frame) const {
    return text_ ? absl::Base64Escape(frame) : std::move(frame);
  }

  const Method& method_;
  const WebOptions& options_;
  const std::shared_ptr<Exchange> exchange_;
  const std::string type_;
  const bool text_;
  std::shared_ptr<Call> call_;
  Headers headers_;
  std::string answer_;
  bool begun_ = false;
  bool draining_ = false;
};

}  // namespace

bool IsGrpcWeb(std::string_view content_type) {
  const std::string type = MediaType(content_type);
  return type == "application/grpc-web" || type == "application/grpc-web+proto" ||
         type == "application/grpc-web-text" || type == "application/grpc-web-text+proto";
}

absl::Status DrainingStatus() {
  return absl::UnavailableError("the gateway is shutting down; call again");
}

void ServeGrpcWeb(const Method& method, const WebOptions& options,
                  std::shared_ptr<Exchange> exchange) {
  const std::string_view type = exchange->request().headers.Get("content-type");
  if (!IsGrpcWeb(type)) {
    return exchange->Send(Problem(
        415, absl::StatusCode::kInvalidArgument,
        fmt::format("content-type: must be application/grpc-web, application/grpc-web+proto, "
                    "application/grpc-web-text or application/grpc-web-text+proto, is '{}'",
                    type)));
  }
  std::make_shared<GrpcWebCall>(method, options, std::move(exchange))->Run();
}

}  // namespace ridestream::gateway
