#include "libs/tracing/collector/span_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "libs/rpc/channel.h"
#include "libs/rpc/server.h"
#include "libs/tracing/otlp/to_otlp.h"

namespace ridestream::tracing {
namespace {

namespace collector_v1 = opentelemetry::proto::collector::trace::v1;
using ::testing::Pair;

SpanData SpanOf(std::uint64_t id) {
  SpanData span;
  span.context = {.trace_id = {1, 2}, .span_id = {id}, .sampled = true, .trace_state = "vendor=1"};
  span.parent = {99};
  span.name = "ridestream.trip.v1.TripService/GetTrip";
  span.kind = SpanKind::kServer;
  span.start = Time(std::chrono::milliseconds(20));
  span.end = Time(std::chrono::milliseconds(25));
  span.attributes = {{"rpc.method", std::string("GetTrip")},
                     {"rpc.grpc.status_code", std::int64_t{13}},
                     {"share", 0.5},
                     {"cached", true}};
  span.links = {{.context = {.trace_id = {3, 4}, .span_id = {5}}}};
  span.status = SpanStatus::kError;
  span.status_message = "no disk";
  return span;
}

class SpanCollectorTest : public ::testing::Test {
 protected:
  collector_v1::ExportTraceServiceResponse Export(const std::string& service,
                                                  const std::vector<SpanData>& spans) {
    grpc::ClientContext context;
    rpc::SetTimeout(context, std::chrono::seconds(30));
    collector_v1::ExportTraceServiceResponse response;
    const grpc::Status status = stub_->Export(
        &context, ToOtlp({{"service.name", service}, {"process.pid", std::int64_t{7}}}, spans),
        &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  SpanCollector collector_{3};
  std::unique_ptr<rpc::Server> server_ = *rpc::Server::Start({.services = {&collector_}});
  std::unique_ptr<collector_v1::TraceService::Stub> stub_ =
      collector_v1::TraceService::NewStub(server_->InProcessChannel());
};

TEST_F(SpanCollectorTest, KeepsWhatAProcessExports) {
  EXPECT_FALSE(Export("trip", {SpanOf(7)}).has_partial_success());
  ASSERT_EQ(collector_.spans().size(), 1u);
  const CollectedSpan kept = collector_.spans()[0];
  const SpanData sent = SpanOf(7);
  EXPECT_EQ(kept.service, "trip");
  EXPECT_EQ(kept.data.context.trace_id, sent.context.trace_id);
  EXPECT_EQ(kept.data.context.span_id, sent.context.span_id);
  EXPECT_EQ(kept.data.context.trace_state, "vendor=1");
  EXPECT_EQ(kept.data.parent, sent.parent);
  EXPECT_EQ(kept.data.name, sent.name);
  EXPECT_EQ(kept.data.kind, sent.kind);
  EXPECT_EQ(kept.data.start, sent.start);
  EXPECT_EQ(kept.data.end, sent.end);
  EXPECT_EQ(kept.data.attributes, sent.attributes);
  ASSERT_EQ(kept.data.links.size(), 1u);
  EXPECT_EQ(kept.data.links[0].context.trace_id, sent.links[0].context.trace_id);
  EXPECT_EQ(kept.data.links[0].context.span_id, sent.links[0].context.span_id);
  EXPECT_EQ(kept.data.status, SpanStatus::kError);
  EXPECT_EQ(kept.data.status_message, "no disk");
}

TEST_F(SpanCollectorTest, KeepsEachKindAndTheOrderOfArrival) {
  std::vector<SpanData> spans = {SpanOf(1), SpanOf(2)};
  spans[0].kind = SpanKind::kClient;
  spans[1].kind = SpanKind::kInternal;
  Export("dispatch", spans);
  spans[0].kind = SpanKind::kProducer;
  Export("trip", {spans[0]});
  std::vector<std::pair<std::string, SpanKind>> kept;
  for (const CollectedSpan& span : collector_.spans()) {
    kept.emplace_back(span.service, span.data.kind);
  }
  EXPECT_THAT(kept, ::testing::ElementsAre(Pair("dispatch", SpanKind::kClient),
                                           Pair("dispatch", SpanKind::kInternal),
                                           Pair("trip", SpanKind::kProducer)));
}

TEST_F(SpanCollectorTest, RefusesSpansBeyondItsBound) {
  EXPECT_FALSE(Export("trip", {SpanOf(1), SpanOf(2)}).has_partial_success());
  const auto response = Export("trip", {SpanOf(3), SpanOf(4), SpanOf(5)});
  EXPECT_EQ(response.partial_success().rejected_spans(), 2);
  EXPECT_EQ(response.partial_success().error_message(), "the collector is full");
  ASSERT_EQ(collector_.spans().size(), 3u);
  EXPECT_EQ(collector_.spans()[2].data.context.span_id.value, 3u) << "what came first stays";
}

}  // namespace
}  // namespace ridestream::tracing
