// A service started with --trace_to sends its spans to the collector.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "libs/base/mutex.h"
#include "libs/process/local_services.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "libs/rpc/server.h"
#include "libs/testing/status_matchers.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"

namespace ridestream::e2e {
namespace {

using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;
using opentelemetry::proto::collector::trace::v1::TraceService;
using ::testing::UnorderedElementsAre;

/// Records spans as "SERVICE SPAN, child of PARENT".
class Collector final : public TraceService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Export(grpc::CallbackServerContext* context,
                                   const ExportTraceServiceRequest* request,
                                   ExportTraceServiceResponse*) override {
    MutexLock lock(mu_);
    for (const auto& resource : request->resource_spans()) {
      std::string service;
      for (const auto& attribute : resource.resource().attributes()) {
        if (attribute.key() == "service.name") service = attribute.value().string_value();
      }
      for (const auto& span : resource.scope_spans(0).spans()) {
        if (span.trace_id() == "our ride\x01\x02\x03\x04\x05\x06\x07\x08") {
          spans_.push_back(service + " " + span.name() + ", child of " + span.parent_span_id());
        }
      }
    }
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  std::vector<std::string> spans() {
    MutexLock lock(mu_);
    return spans_;
  }

 private:
  Mutex mu_;
  std::vector<std::string> spans_ ABSL_GUARDED_BY(mu_);
};

TEST(TracingProcessTest, SendsItsSpansToTheCollectorUntilItEnds) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  Collector collector;
  const auto server = rpc::Server::Start({.services = {&collector}});
  ASSERT_THAT(server, ridestream::testing::IsOk());
  const auto services = process::LocalServices::Start(
      {.bin = bin, .trip_flags = {"--trace_to=" + (*server)->address()}, .dispatch = false});
  ASSERT_THAT(services, ridestream::testing::IsOk());
  ASSERT_THAT(rpc::UseDevelopmentAuthority((*services)->authority()), ridestream::testing::IsOk());

  const auto stub = trip::v1::TripService::NewStub(rpc::MakeChannel((*services)->trip()));
  grpc::ClientContext context;
  rpc::SetTimeout(context, std::chrono::seconds(30));
  rpc::SetCaller(context, {rpc::CallerKind::kRider, "ada"});
  // "our ride" and 1 to 8; "our call".
  context.AddMetadata("traceparent", "00-6f757220726964650102030405060708-6f75722063616c6c-01");
  trip::v1::GetTripRequest request;
  request.set_trip_id("none");
  trip::v1::GetTripResponse response;
  EXPECT_EQ(stub->GetTrip(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);

  ASSERT_THAT((*services)->Stop(), ridestream::testing::IsOk());
  EXPECT_THAT(
      collector.spans(),
      UnorderedElementsAre("trip ridestream.trip.v1.TripService/GetTrip, child of our call"));
}

}  // namespace
}  // namespace ridestream::e2e
