#include <fmt/format.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "libs/rpc/request_id.h"
#include "services/gateway/call/metadata.h"
#include "services/gateway/grpc_web/frame.h"
#include "services/gateway/grpc_web/grpc_web.h"

namespace ridestream::gateway {
namespace {

constexpr std::string_view kSubprotocol = "grpc-websockets";
constexpr char kMessage = 0;
constexpr char kHalfClose = 1;
constexpr std::uint16_t kNormalClosure = 1000;

/// Parses lines of the form `name: value\r\n`.
absl::StatusOr<Headers> ParseFields(std::string_view text) {
  Headers headers;
  for (const absl::string_view line :
       absl::StrSplit(absl::string_view(text.data(), text.size()), "\r\n", absl::SkipEmpty())) {
    const std::size_t colon = line.find(':');
    if (colon == absl::string_view::npos || colon == 0) {
      return absl::InvalidArgumentError(
          "metadata: the first message must be lines of 'name: value'");
    }
    const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
    // Added unchanged: values that gRPC can't carry are refused later, not corrected.
    headers.AddRaw({line.data(), colon}, std::string(value));
  }
  return headers;
}

/// One call over a WebSocket. Reads from each side only after the other side has taken the message
/// before. Runs on the socket's strand, and is kept alive by the callbacks that it gave to the call
/// and the socket.
class SocketCall final : public std::enable_shared_from_this<SocketCall> {
 public:
  SocketCall(const Method& method, const Credentials& credentials, Headers request,
             std::shared_ptr<WebSocket> socket)
      : method_(method),
        credentials_(credentials),
        request_(std::move(request)),
        socket_(std::move(socket)) {}

  void Run(std::chrono::milliseconds hello_time) {
    const auto self = shared_from_this();
    socket_->OnGone([self] { self->Cancel(); });
    socket_->OnDrain([self] {
      self->over_ = DrainingStatus();
      self->Cancel();
    });
    socket_->Read([self](std::string message, bool binary) { self->OnHello(message, binary); });
    socket_->After(hello_time, [weak = weak_from_this()] {
      const auto alive = weak.lock();
      if (alive == nullptr || alive->call_ != nullptr) return;
      alive->OnEnd(absl::DeadlineExceededError("metadata: didn't arrive in time"), {});
    });
  }

 private:
  void OnHello(const std::string& message, bool binary) {
    if (!binary) return OnEnd(TextStatus(), {});
    const auto fields = ParseFields(message);
    if (!fields.ok()) return OnEnd(fields.status(), {});
    auto options = CallOptionsFromHeaders(*fields);
    if (!options.ok()) return OnEnd(options.status(), {});
    request_id_ = options->request_id;
    const absl::Status proven = credentials_.Prove(request_, *options);
    request_ = {};
    if (!proven.ok()) return OnEnd(proven, {});
    const auto self = shared_from_this();
    call_ =
        StartCall(method_, *options,
                  {.post = [socket = socket_](auto work) { socket->Post(std::move(work)); },
                   .on_headers = [self](const Headers& headers) { self->OnHeaders(headers); },
                   .on_message = [self](std::string bytes) { self->OnMessage(bytes); },
                   .on_written = [self] { self->ReadOn(); },
                   .on_end = [self](const absl::Status& status,
                                    const Headers& trailers) { self->OnEnd(status, trailers); }});
    call_->Read();
    ReadOn();
  }

  void ReadOn() {
    socket_->Read([self = shared_from_this()](std::string message, bool binary) {
      self->OnFrame(message, binary);
    });
  }

  void OnFrame(std::string_view message, bool binary) {
    if (!binary) return Refuse(TextStatus());
    if (half_closed_) {
      return Refuse(absl::InvalidArgumentError("frame: arrived after the half-close"));
    }
    if (message.size() == 1 && message[0] == kHalfClose) {
      half_closed_ = true;
      call_->WritesDone();
      return;
    }
    if (message.empty() || message[0] != kMessage) {
      return Refuse(absl::InvalidArgumentError(
          "frame: must start with a byte 0, or be the single byte 1 to half-close"));
    }
    const auto bytes = OneMessage(message.substr(1));
    if (!bytes.ok()) return Refuse(bytes.status());
    call_->Write(*bytes, /*last=*/false);
  }

  static absl::Status TextStatus() {
    return absl::InvalidArgumentError("frame: is text; messages must be binary");
  }

  /// Ends the call with a status that the gateway chose.
  void Refuse(absl::Status status) {
    over_ = std::move(status);
    Cancel();
  }

  void Cancel() {
    if (call_ != nullptr) {
      call_->Cancel();
    } else {
      OnEnd(over_.value_or(absl::CancelledError()), {});
    }
  }

  void OnHeaders(Headers headers) {
    if (std::exchange(headers_sent_, true)) return;
    if (!request_id_.empty()) headers.Add(rpc::kRequestIdKey, request_id_);
    outgoing_.push_back(Share(HeadersFrame(headers)));
    Advance();
  }

  void OnMessage(std::string_view message) {
    OnHeaders({});
    read_next_ = true;
    outgoing_.push_back(Share(DataFrame(message)));
    Advance();
  }

  void OnEnd(const absl::Status& status, const Headers& trailers) {
    if (std::exchange(ended_, true)) return;
    OnHeaders({});
    outgoing_.push_back(Share(TrailersFrame(over_.value_or(status), trailers)));
    Advance();
  }

  /// The only function that writes or closes.
  void Advance() {
    if (writing_) return;
    if (outgoing_.empty()) {
      if (ended_) {
        socket_->Close(kNormalClosure, "");
      } else if (headers_sent_ && std::exchange(read_next_, false)) {
        call_->Read();
      }
      return;
    }
    writing_ = true;
    socket_->Write(outgoing_.front(), [self = shared_from_this()] {
      self->writing_ = false;
      self->outgoing_.pop_front();
      self->Advance();
    });
  }

  const Method& method_;
  const Credentials credentials_;
  Headers request_;  // The handshake, until the call starts.
  const std::shared_ptr<WebSocket> socket_;
  std::shared_ptr<Call> call_;
  std::string request_id_;            // The id of the call.
  std::optional<absl::Status> over_;  // The status to end the call with, in place of the service's.
  bool half_closed_ = false;
  bool headers_sent_ = false;
  bool read_next_ = false;
  bool ended_ = false;
  std::deque<SharedBytes> outgoing_;  // At most the headers, a message and the trailers.
  bool writing_ = false;
};

}  // namespace

bool OffersGrpcWebSockets(const Request& request) {
  const std::string_view offered = request.headers.Get("sec-websocket-protocol");
  for (const absl::string_view name :
       absl::StrSplit(absl::string_view(offered.data(), offered.size()), ',')) {
    const absl::string_view stripped = absl::StripAsciiWhitespace(name);
    if (std::string_view(stripped.data(), stripped.size()) == kSubprotocol) return true;
  }
  return false;
}

void ServeWebSocket(const Method& method, const WebOptions& options,
                    const std::shared_ptr<Exchange>& exchange) {
  Headers request = exchange->request().headers;
  auto socket = exchange->Accept(kSubprotocol, options.max_message_bytes + kFrameHeader + 1);
  std::make_shared<SocketCall>(method, options.credentials, std::move(request), std::move(socket))
      ->Run(options.hello_time);
}

}  // namespace ridestream::gateway
