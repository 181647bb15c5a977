#include "tests/e2e/jaeger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

#include "libs/testing/status_matchers.h"

namespace ridestream::e2e {
namespace {

using ::testing::ElementsAre;
using tracing::Attribute;

TEST(JaegerAnswerTest, IsReadAsSpansWithTheirAttributesParentsAndLinks) {
  const auto spans = ParseJaegerTraces(R"({"data": [{
      "traceID": "10000000000000002",
      "spans": [{
        "traceID": "10000000000000002", "spanID": "0000000000000003", "processID": "p1",
        "operationName": "round", "startTime": 1795952754000001, "duration": 1500,
        "references": [
          {"refType": "CHILD_OF", "traceID": "10000000000000002", "spanID": "0000000000000004"},
          {"refType": "FOLLOWS_FROM", "traceID": "00000000000000050000000000000006", "spanID": "ff"}],
        "tags": [
          {"key": "market", "type": "string", "value": "city"},
          {"key": "trips", "type": "int64", "value": 2},
          {"key": "kept", "type": "bool", "value": true},
          {"key": "share", "type": "float64", "value": 0.5},
          {"key": "span.kind", "type": "string", "value": "client"},
          {"key": "error", "type": "bool", "value": true},
          {"key": "otel.status_description", "type": "string", "value": "too late"}]}],
      "processes": {"p1": {"serviceName": "dispatch", "tags": []}}}]})");
  ASSERT_THAT(spans, ridestream::testing::IsOk());
  ASSERT_EQ(spans->size(), 1u);
  EXPECT_EQ(spans->front().service, "dispatch");
  const tracing::SpanData& span = spans->front().data;
  EXPECT_EQ(span.context.trace_id, (tracing::TraceId{1, 2}));
  EXPECT_EQ(span.context.span_id.value, 3u);
  EXPECT_EQ(span.parent.value, 4u);
  EXPECT_EQ(span.name, "round");
  EXPECT_EQ(span.kind, tracing::SpanKind::kClient);
  EXPECT_EQ(span.start.time_since_epoch(), std::chrono::microseconds(1'795'952'754'000'001));
  EXPECT_EQ(span.end - span.start, std::chrono::microseconds(1'500));
  EXPECT_THAT(span.attributes,
              ElementsAre(Attribute{"market", "city"}, Attribute{"trips", std::int64_t{2}},
                          Attribute{"kept", true}, Attribute{"share", 0.5}));
  ASSERT_EQ(span.links.size(), 1u);
  EXPECT_EQ(span.links.front().context.trace_id, (tracing::TraceId{5, 6}));
  EXPECT_EQ(span.links.front().context.span_id.value, 255u);
  EXPECT_EQ(span.status, tracing::SpanStatus::kError);
  EXPECT_EQ(span.status_message, "too late");
}

TEST(JaegerAnswerTest, IsRefusedUnlessItHasAListOfTraces) {
  EXPECT_TRUE(absl::IsInvalidArgument(ParseJaegerTraces("<html>").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ParseJaegerTraces(R"({"data": null})").status()));
}

}  // namespace
}  // namespace ridestream::e2e
