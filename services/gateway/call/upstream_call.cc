#include "services/gateway/call/upstream_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/client_callback.h"
#include "libs/rpc/call_span.h"
#include "libs/rpc/market.h"
#include "libs/rpc/request_id.h"
#include "libs/rpc/status.h"
#include "libs/service/service.h"
#include "libs/tracing/trace_context.h"
#include "services/gateway/call/metadata.h"

namespace ridestream::gateway {
namespace {

using grpc::ByteBuffer;

/// Cap on timeouts. gRPC would treat a deadline in the far future as no deadline.
constexpr std::chrono::hours kLongest{24 * 365};

/// Forwards a call of any kind: on the wire every kind is a bidirectional stream, so one reactor
/// serves all.
///
/// gRPC's threads only post to the strand, where all state lives, so no lock is needed. A hold
/// keeps gRPC from ending the call while the strand may still start an operation.
class UpstreamCall final : public Call, public grpc::ClientBidiReactor<ByteBuffer, ByteBuffer> {
 public:
  UpstreamCall(const Method& method, const CallOptions& options,
               std::shared_ptr<grpc::Channel> channel, CallEvents events)
      : method_(method),
        request_id_(options.request_id),
        events_(std::move(events)),
        stub_(std::move(channel)) {}

  static std::shared_ptr<Call> Start(const Method& method, const CallOptions& options,
                                     std::shared_ptr<grpc::Channel> channel, CallEvents events) {
    auto call =
        std::make_shared<UpstreamCall>(method, options, std::move(channel), std::move(events));
    rpc::AddRequestId(call->context_, options.request_id);
    call->Trace(options);
    for (const auto& [name, value] : options.metadata) {
      if (name == tracing::kTraceParentKey || name == tracing::kTraceStateKey) continue;
      call->context_.AddMetadata(name, value);
    }
    if (options.timeout) {
      call->context_.set_deadline(
          std::chrono::system_clock::now() +
          std::chrono::duration_cast<std::chrono::microseconds>(
              std::min<std::chrono::nanoseconds>(*options.timeout, kLongest)));
    }
    call->self_ = call;
    if (method.observer != nullptr) method.observer->CallBegan(method.path);
    call->stub_.PrepareBidiStreamingCall(&call->context_, method.path, grpc::StubOptions(),
                                         call.get());
    call->AddHold();
    call->StartCall();
    return call;
  }

  void Write(std::string_view message, bool last) override {
    if (over_) return;
    const grpc::Slice slice(message.data(), message.size());
    outgoing_ = ByteBuffer(&slice, 1);
    writing_ = true;
    if (last) {
      StartWriteLast(&outgoing_, grpc::WriteOptions());
    } else {
      StartWrite(&outgoing_);
    }
  }

  void WritesDone() override {
    if (over_) return;
    writing_ = true;
    StartWritesDone();
  }

  void Read() override {
    if (over_) return;
    reading_ = true;
    StartRead(&incoming_);
  }

  void Cancel() override {
    context_.TryCancel();
    over_ = true;
    ReleaseHold();
  }

  void OnReadInitialMetadataDone(bool ok) override {
    Headers headers;
    if (ok) headers = HeadersFromMetadata(context_.GetServerInitialMetadata());
    events_.post([this, ok, headers = std::move(headers)] {
      headers_done_ = true;
      if (ok && events_.on_headers) events_.on_headers(headers);
      auto message = std::exchange(early_message_, std::nullopt);
      if (message && !over_) events_.on_message(*std::move(message));
    });
  }

  void OnReadDone(bool ok) override {
    std::string message;
    if (ok) ok = ToString(incoming_, message);
    events_.post([this, ok, message = std::move(message)]() mutable {
      reading_ = false;
      if (ok && !over_ && !headers_done_) {
        early_message_ = std::move(message);
      } else if (ok && !over_) {
        events_.on_message(std::move(message));
      } else {
        over_ = true;
      }
      ReleaseHold();
    });
  }

  void OnWriteDone(bool ok) override { OnSent(ok); }
  void OnWritesDoneDone(bool ok) override { OnSent(ok); }

  void OnDone(const grpc::Status& status) override {
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - began_;
    if (method_.observer != nullptr) {
      method_.observer->CallEnded(method_.path, status.error_code(), took,
                                  rpc::SampledTrace(span_.context()));
    }
    rpc::EndClientSpan(span_, status);
    Log(status, took);
    // Copied, because the strand may destroy this object before `post` returns.
    const auto post = events_.post;
    post([this, status = rpc::FromGrpcStatus(status),
          trailers = HeadersFromMetadata(context_.GetServerTrailingMetadata())] {
      const auto self = std::move(self_);
      const CallEvents events = std::exchange(events_, {});
      events.on_end(status, trailers);
    });
  }

 private:
  /// Starts a span for a unary call, as a child of the client's span. The service's span becomes a
  /// child of this one. A stream, or a gateway that doesn't trace, passes on the client's span
  /// instead, without its sampled flag unless the caller may force sampling: services obey the
  /// gateway's flags.
  void Trace(const CallOptions& options) {
    tracing::SpanContext parent =
        tracing::ParseTraceContext(options.metadata.Get(tracing::kTraceParentKey),
                                   options.metadata.Get(tracing::kTraceStateKey))
            .value_or(tracing::SpanContext());
    const bool may_force = MayForceSampling(options);
    if (!method_.client_streaming() && !method_.server_streaming()) {
      span_ = rpc::StartClientSpan(context_, method_.path, parent, may_force);
    }
    trace_id_ = rpc::TraceIdForLog(span_.recording() ? span_.context() : parent);
    if (span_.recording() || !parent.valid()) return;
    if (!may_force) parent.sampled = false;
    context_.AddMetadata(tracing::kTraceParentKey, tracing::FormatTraceParent(parent));
    if (!parent.trace_state.empty()) {
      context_.AddMetadata(tracing::kTraceStateKey, parent.trace_state);
    }
  }

  static bool MayForceSampling(const CallOptions& options) {
    return options.caller && options.caller->principal.role == identity::Role::kOperator;
  }

  static bool ToString(const ByteBuffer& buffer, std::string& text) {
    std::vector<grpc::Slice> slices;
    if (!buffer.Dump(&slices).ok()) return false;
    text.reserve(buffer.Length());
    for (const grpc::Slice& slice : slices) {
      text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    return true;
  }

  /// Viewers poll, so calls of query methods are logged at level debug only.
  void Log(const grpc::Status& status, std::chrono::nanoseconds took) const {
    service::Log(
        method_.is_query ? service::Level::kDebug : service::Level::kInfo, "call_ended",
        {{"request", request_id_},
         {"trace_id", trace_id_},
         {"method", method_.descriptor->name()},
         {"code", absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()))},
         {"error", status.error_message()},
         {"ms", fmt::format("{:.1f}", std::chrono::duration<double, std::milli>(took).count())}});
  }

  void OnSent(bool ok) {
    events_.post([this, ok] {
      writing_ = false;
      // A failed write carries no reason; the read side reports the status.
      if (ok && !over_ && events_.on_written) events_.on_written();
      ReleaseHold();
    });
  }

  /// Releases the hold once no operation is under way and none will start. Nothing else lets the
  /// call end.
  void ReleaseHold() {
    if (!over_ || reading_ || writing_ || !std::exchange(held_, false)) return;
    RemoveHold();
  }

  const Method& method_;
  const std::string request_id_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  tracing::Span span_;    // Of a unary call while tracing is on; else not recording.
  std::string trace_id_;  // Empty if the call has no trace.
  CallEvents events_;
  grpc::GenericStub stub_;  // Used by this call only; holds the call's place in the pool.
  grpc::ClientContext context_;
  ByteBuffer outgoing_;
  ByteBuffer incoming_;
  // gRPC may report the first message on one thread before the headers on another.
  bool headers_done_ = false;
  std::optional<std::string> early_message_;
  bool writing_ = false;
  bool reading_ = false;
  bool over_ = false;  // No further operation may start.
  bool held_ = true;
  std::shared_ptr<UpstreamCall> self_;  // Until OnDone has been handled.
};

/// A call that never started and whose end has been posted.
class RefusedCall final : public Call {
 public:
  void Write(std::string_view, bool) override {}
  void WritesDone() override {}
  void Read() override {}
  void Cancel() override {}
};

}  // namespace

std::shared_ptr<Call> StartUpstreamCall(const Method& method, const CallOptions& options,
                                        CallEvents events) {
  auto channel = method.channels->Take(options.metadata.Get(rpc::kMarketKey), options.caller_class);
  if (!channel.ok()) {
    const auto post = events.post;
    post([events = std::move(events), status = channel.status()] { events.on_end(status, {}); });
    return std::make_shared<RefusedCall>();
  }
  return UpstreamCall::Start(method, options, *std::move(channel), std::move(events));
}

}  // namespace ridestream::gateway
