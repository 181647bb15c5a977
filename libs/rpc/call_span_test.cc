#include "libs/rpc/call_span.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "libs/tracing/testing/recorded_spans.h"
#include "ridestream/location/v1/location.grpc.pb.h"

namespace ridestream::rpc {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using tracing::Attribute;
using tracing::SpanData;
using tracing::SpanKind;
using tracing::SpanStatus;

constexpr char kMethod[] = "ridestream.location.v1.LocationService/FindNearest";
constexpr char kTraceParent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Answers with what the test sets, and records the span that its handler saw.
class Searcher final : public location::v1::LocationService::CallbackService {
 public:
  grpc::Status answer;
  tracing::SpanContext seen;
  grpc::ServerUnaryReactor* FindNearest(grpc::CallbackServerContext* context,
                                        const location::v1::FindNearestRequest*,
                                        location::v1::FindNearestResponse*) override {
    seen = ServerSpanOf(*context);
    auto* reactor = context->DefaultReactor();
    reactor->Finish(answer);
    return reactor;
  }
};

class CallSpanTest : public ::testing::Test {
 protected:
  CallSpanTest() { spans_.Clear(); }
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  SpanData ServerSpanOfCallWith(const Metadata& metadata) {
    grpc::ClientContext context;
    SetTimeout(context, std::chrono::seconds(30));
    for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
    location::v1::FindNearestResponse response;
    EXPECT_EQ(stub_->FindNearest(&context, {}, &response).error_code(),
              searcher_.answer.error_code());
    return spans_.Await(SpanKind::kServer, kMethod);
  }

  tracing::testing::RecordedSpans& spans_ = tracing::testing::RecordedSpans::OfProcess();
  Searcher searcher_;
  std::unique_ptr<Server> server_ = *Server::Start({.services = {&searcher_}});
  std::unique_ptr<location::v1::LocationService::Stub> stub_ =
      location::v1::LocationService::NewStub(server_->InProcessChannel());
};

TEST_F(CallSpanTest, ServerContinuesTheTraceOfTheCaller) {
  const SpanData span =
      ServerSpanOfCallWith({{"traceparent", kTraceParent}, {"tracestate", "vendor=1"}});
  EXPECT_EQ(span.context.trace_id.ToHex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(span.parent.ToHex(), "b7ad6b7169203331");
  EXPECT_EQ(span.context.trace_state, "vendor=1");
  EXPECT_EQ(searcher_.seen.span_id, span.context.span_id) << "the handler finds its span";
  EXPECT_THAT(span.attributes, Contains(Attribute{"rpc.system", std::string("grpc")}));
  EXPECT_THAT(span.attributes,
              Contains(Attribute{"rpc.service", std::string("ridestream.location.v1."
                                                            "LocationService")}));
  EXPECT_THAT(span.attributes, Contains(Attribute{"rpc.method", std::string("FindNearest")}));
  EXPECT_THAT(span.attributes, Contains(Attribute{"rpc.grpc.status_code", std::int64_t{0}}));
  EXPECT_EQ(span.status, SpanStatus::kUnset);
  EXPECT_GE(span.end, span.start);
}

TEST_F(CallSpanTest, ServerBeginsATraceWhereTheCallerNamesNoValidOne) {
  const std::vector<Metadata> cases = {
      {},
      {{"traceparent", ""}},
      {{"traceparent", "a level=error"}},
      {{"traceparent", std::string(4'000, '0')}},
      {{"traceparent", "00-00000000000000000000000000000000-b7ad6b7169203331-01"}},
      {{"traceparent", kTraceParent}, {"traceparent", kTraceParent}},
      {{"tracestate", "vendor=1"}},
  };
  for (const Metadata& metadata : cases) {
    spans_.Clear();
    const SpanData span = ServerSpanOfCallWith(metadata);
    EXPECT_TRUE(span.context.valid());
    EXPECT_FALSE(span.parent.valid());
    EXPECT_NE(span.context.trace_id.ToHex(), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_THAT(span.context.trace_state, IsEmpty());
  }
}

TEST_F(CallSpanTest, OnlyServerFaultsAreErrorsOfTheServerSpan) {
  struct Case {
    grpc::StatusCode code;
    SpanStatus of_server;
  } const cases[] = {
      {grpc::StatusCode::NOT_FOUND, SpanStatus::kUnset},
      {grpc::StatusCode::INVALID_ARGUMENT, SpanStatus::kUnset},
      {grpc::StatusCode::UNAUTHENTICATED, SpanStatus::kUnset},
      {grpc::StatusCode::RESOURCE_EXHAUSTED, SpanStatus::kUnset},
      {grpc::StatusCode::INTERNAL, SpanStatus::kError},
      {grpc::StatusCode::DEADLINE_EXCEEDED, SpanStatus::kError},
      {grpc::StatusCode::DATA_LOSS, SpanStatus::kError},
  };
  for (const Case& each : cases) {
    spans_.Clear();
    searcher_.answer = {each.code, "why"};
    const SpanData span = ServerSpanOfCallWith({});
    EXPECT_EQ(span.status, each.of_server) << each.code;
    EXPECT_THAT(span.attributes,
                Contains(Attribute{"rpc.grpc.status_code", static_cast<std::int64_t>(each.code)}));
  }
}

TEST_F(CallSpanTest, ClientSpanIsTheParentOfTheServerSpan) {
  const location::v1::FindNearestRequest request;
  const auto parent = *tracing::ParseTraceContext(kTraceParent, "vendor=1");
  grpc::ClientContext context;
  SetTimeout(context, std::chrono::seconds(30));
  tracing::Span span = StartClientSpan(context, request, parent);
  searcher_.answer = {grpc::StatusCode::NOT_FOUND, "nobody"};
  location::v1::FindNearestResponse response;
  EndClientSpan(span, stub_->FindNearest(&context, request, &response));
  const SpanData client = spans_.Await(SpanKind::kClient, kMethod);
  const SpanData server = spans_.Await(SpanKind::kServer, kMethod);
  EXPECT_EQ(client.parent, parent.span_id);
  EXPECT_EQ(server.parent, client.context.span_id);
  EXPECT_EQ(server.context.trace_id, parent.trace_id);
  EXPECT_EQ(server.context.trace_state, "vendor=1");
  EXPECT_EQ(client.status, SpanStatus::kError) << "to a client each code but OK is an error";
  EXPECT_EQ(client.status_message, "nobody");
  EXPECT_EQ(TraceIdForLog(client.context), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(TraceIdForLog({}), "");
}

}  // namespace
}  // namespace ridestream::rpc
