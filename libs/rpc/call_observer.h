#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "grpcpp/grpcpp.h"
#include "grpcpp/support/server_interceptor.h"
#include "libs/rpc/call_span.h"

namespace ridestream::rpc {

/// Observes every call that a server handles, unary or stream. Called on gRPC's threads, several at
/// a time; must not block.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  /// `method` is the full name, e.g. "/ridestream.trip.v1.TripService/GetTrip".
  virtual void CallBegan(std::string_view method) = 0;
  /// Called once for each CallBegan. `took` is the time from there to the status. `trace` is that
  /// of the call's span if it is sampled, otherwise invalid.
  virtual void CallEnded(std::string_view method, grpc::StatusCode code,
                         std::chrono::nanoseconds took, const tracing::TraceId& trace) = 0;
};

/// Does for every method of a server what handlers then need not do: notifies `observer`, which may
/// be null, of each call; and answers INVALID_ARGUMENT to a unary or server-stream request that
/// can't be parsed (gRPC itself would answer UNIMPLEMENTED, as for an unknown method). While
/// tracing is on, it gives each unary call a span, see call_span.h, and obeys the sampled flag of
/// callers as `may_force_sampling` says. The methods in `except` are not intercepted: for a call
/// with an interceptor, gRPC takes a second pass through its completion queue per message, which is
/// too slow for a stream with one message per position. The adapters of those methods do both
/// themselves, and every client stream must parse its messages itself.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeCallInterceptorFactory(
    CallObserver* observer, std::set<std::string, std::less<>> except,
    MayForceSampling may_force_sampling);

}  // namespace ridestream::rpc
