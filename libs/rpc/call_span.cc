#include "libs/rpc/call_span.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "libs/base/mutex.h"
#include "libs/rpc/request_method.h"
#include "libs/tracing/process_tracer.h"

namespace ridestream::rpc {
namespace {

/// The spans of the calls that this process currently serves, by the context of their handlers.
class ServedSpans {
 public:
  /// Never destroyed, because calls may continue while the process exits.
  static ServedSpans& OfProcess() {
    static auto* const spans = new ServedSpans();
    return *spans;
  }

  void Add(const grpc::ServerContextBase& context, const tracing::SpanContext& span) {
    MutexLock lock(mu_);
    spans_.insert_or_assign(&context, span);
  }
  void Remove(const grpc::ServerContextBase& context) {
    MutexLock lock(mu_);
    spans_.erase(&context);
  }
  tracing::SpanContext Find(const grpc::ServerContextBase& context) {
    MutexLock lock(mu_);
    const auto found = spans_.find(&context);
    return found == spans_.end() ? tracing::SpanContext() : found->second;
  }

 private:
  Mutex mu_;
  absl::flat_hash_map<const grpc::ServerContextBase*, tracing::SpanContext> spans_
      ABSL_GUARDED_BY(mu_);
};

tracing::Span StartCallSpan(std::string_view method, tracing::SpanKind kind,
                            tracing::SpanContext parent, bool follow_parent) {
  if (method.starts_with('/')) method.remove_prefix(1);
  tracing::Span span = tracing::StartSpan(
      method, {.kind = kind, .parent = std::move(parent), .follow_parent = follow_parent});
  const std::size_t slash = method.find('/');
  span.SetAttribute("rpc.system", std::string("grpc"));
  span.SetAttribute("rpc.service", std::string(method.substr(0, slash)));
  if (slash != std::string_view::npos) {
    span.SetAttribute("rpc.method", std::string(method.substr(slash + 1)));
  }
  return span;
}

void EndCallSpan(tracing::Span& span, const grpc::Status& status, bool is_error) {
  span.SetAttribute("rpc.grpc.status_code", static_cast<std::int64_t>(status.error_code()));
  if (is_error) span.SetStatus(tracing::SpanStatus::kError, status.error_message());
  span.End();
}

bool IsServersFault(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::UNIMPLEMENTED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DATA_LOSS:
      return true;
    default:
      return false;
  }
}

/// The only value of `key`; nullopt if there is none or more than one.
std::optional<std::string_view> Single(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata, const char* key) {
  const auto [first, last] = metadata.equal_range(key);
  if (first == last || std::next(first) != last) return std::nullopt;
  return std::string_view(first->second.data(), first->second.size());
}

}  // namespace

std::optional<tracing::SpanContext> TraceContextFromMetadata(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  const auto traceparent = Single(metadata, tracing::kTraceParentKey);
  if (!traceparent) return std::nullopt;
  return tracing::ParseTraceContext(*traceparent,
                                    Single(metadata, tracing::kTraceStateKey).value_or(""));
}

ServerSpan::ServerSpan(const grpc::ServerContextBase& context, std::string_view method,
                       const std::multimap<grpc::string_ref, grpc::string_ref>& metadata,
                       const MayForceSampling& may_force)
    : context_(context) {
  if (tracing::ProcessTracer() == nullptr) return;
  const auto parent = TraceContextFromMetadata(metadata);
  const bool follow_parent = !parent || may_force == nullptr || may_force(context);
  span_ = StartCallSpan(method, tracing::SpanKind::kServer, parent.value_or(tracing::SpanContext()),
                        follow_parent);
  sampled_trace_ = SampledTrace(span_.context());
  ServedSpans::OfProcess().Add(context_, span_.context());
}

ServerSpan::~ServerSpan() { End({grpc::StatusCode::CANCELLED, ""}); }

void ServerSpan::End(const grpc::Status& status) {
  if (!span_.recording()) return;
  ServedSpans::OfProcess().Remove(context_);
  EndCallSpan(span_, status, IsServersFault(status.error_code()));
}

tracing::SpanContext ServerSpanOf(const grpc::ServerContextBase& context) {
  if (tracing::ProcessTracer() == nullptr) return {};
  return ServedSpans::OfProcess().Find(context);
}

tracing::Span StartClientSpan(grpc::ClientContext& context, std::string_view method,
                              const tracing::SpanContext& parent, bool follow_parent) {
  if (tracing::ProcessTracer() == nullptr) return {};
  tracing::Span span = StartCallSpan(method, tracing::SpanKind::kClient, parent, follow_parent);
  context.AddMetadata(tracing::kTraceParentKey, tracing::FormatTraceParent(span.context()));
  if (const std::string& state = span.context().trace_state; !state.empty()) {
    context.AddMetadata(tracing::kTraceStateKey, state);
  }
  return span;
}

tracing::Span StartClientSpan(grpc::ClientContext& context,
                              const google::protobuf::Message& request,
                              const tracing::SpanContext& parent) {
  if (tracing::ProcessTracer() == nullptr) return {};
  const auto* method = MethodOfRequest(*request.GetDescriptor());
  if (method == nullptr) return {};
  return StartClientSpan(
      context, fmt::format("{}/{}", method->service()->full_name(), method->name()), parent);
}

void EndClientSpan(tracing::Span& span, const grpc::Status& status) {
  if (span.recording()) EndCallSpan(span, status, !status.ok());
}

tracing::TraceId SampledTrace(const tracing::SpanContext& context) {
  return context.sampled ? context.trace_id : tracing::TraceId();
}

std::string TraceIdForLog(const tracing::SpanContext& context) {
  return context.valid() ? context.trace_id.ToHex() : "";
}

}  // namespace ridestream::rpc
