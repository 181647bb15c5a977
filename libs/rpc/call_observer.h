#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "grpcpp/grpcpp.h"
#include "grpcpp/support/server_interceptor.h"

namespace ridestream::rpc {

/// Observes every call that a server handles, unary or stream. Called on gRPC's threads, several at
/// a time; must not block.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  /// `method` is the full name, e.g. "/ridestream.trip.v1.TripService/GetTrip".
  virtual void CallBegan(std::string_view method) = 0;
  /// Once for each CallBegan. `took` goes from there to the status.
  virtual void CallEnded(std::string_view method, grpc::StatusCode code,
                         std::chrono::nanoseconds took) = 0;
};

/// What every server does around its methods, with no code in any handler: tells `observer`, which
/// may be null, of each call, and answers INVALID_ARGUMENT to the one request of a unary call or a
/// server stream that can't be parsed (gRPC itself would say UNIMPLEMENTED, as of a method that
/// isn't there). While tracing is on, it gives each unary call a span, see call_span.h. The methods
/// `except` are left alone: gRPC takes a second turn through its completion queue for each message
/// of a call that has an interceptor, which a stream of a message per position can't afford. Its
/// adapter does both for itself, and so must each client stream parse what it reads.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeCallInterceptorFactory(
    CallObserver* observer, std::set<std::string, std::less<>> except);

}  // namespace ridestream::rpc
