#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "google/protobuf/message.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "grpcpp/support/string_ref.h"
#include "libs/tracing/span.h"

namespace ridestream::rpc {

// Spans of calls, with the names and attributes of OpenTelemetry's RPC conventions: a span is
// called "ridestream.trip.v1.TripService/GetTrip" and has rpc.system, rpc.service, rpc.method and
// rpc.grpc.status_code. While tracing is off, nothing here has an effect.

/// The trace context in a call's metadata. nullopt unless `traceparent` occurs exactly once and is
/// valid; see tracing::ParseTraceContext.
std::optional<tracing::SpanContext> TraceContextFromMetadata(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

/// Whether the sampled flag of a call's `traceparent` is obeyed. If not, this process decides.
/// Null: every flag is obeyed. Called on gRPC's threads.
using MayForceSampling = std::function<bool(const grpc::ServerContextBase& context)>;

/// The span of a unary call that this process serves; a child of the caller's span if the metadata
/// name one. ServerSpanOf finds it while it exists. Not thread-safe.
class ServerSpan {
 public:
  /// `method` is the full name, "/ridestream.trip.v1.TripService/GetTrip".
  ServerSpan(const grpc::ServerContextBase& context, std::string_view method,
             const std::multimap<grpc::string_ref, grpc::string_ref>& metadata,
             const MayForceSampling& may_force);
  /// Ends the span with CANCELLED if it hasn't ended.
  ~ServerSpan();
  ServerSpan(const ServerSpan&) = delete;
  ServerSpan& operator=(const ServerSpan&) = delete;

  /// By the conventions, only codes for which the server is responsible count as errors.
  void End(const grpc::Status& status);
  /// The span's trace if it is sampled, else not valid. Also after End.
  const tracing::TraceId& sampled_trace() const { return sampled_trace_; }

 private:
  const grpc::ServerContextBase& context_;
  tracing::Span span_;
  tracing::TraceId sampled_trace_;
};

/// The span of the call that a handler serves, as the parent of the handler's own spans. Invalid
/// while tracing is off, and for streams. Thread-safe.
tracing::SpanContext ServerSpanOf(const grpc::ServerContextBase& context);

/// Starts the span of a unary call to another service, and adds its context to the call's metadata.
/// `method` is the full name. `follow_parent` as in tracing::SpanOptions.
tracing::Span StartClientSpan(grpc::ClientContext& context, std::string_view method,
                              const tracing::SpanContext& parent = {}, bool follow_parent = true);
/// The same for the method that takes `request`.
tracing::Span StartClientSpan(grpc::ClientContext& context,
                              const google::protobuf::Message& request,
                              const tracing::SpanContext& parent = {});
/// Every code but OK is an error.
void EndClientSpan(tracing::Span& span, const grpc::Status& status);

/// The trace of `context` if it is sampled, otherwise invalid: for exemplars.
tracing::TraceId SampledTrace(const tracing::SpanContext& context);

/// The field `trace_id` of a log line; empty if `context` isn't valid, so that the field is
/// omitted.
std::string TraceIdForLog(const tracing::SpanContext& context);

}  // namespace ridestream::rpc
