#include "libs/tracing/otlp/to_otlp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace ridestream::tracing {
namespace {

using namespace std::chrono_literals;
using Wire = opentelemetry::proto::trace::v1::Span;

TEST(ToOtlpTest, WritesEachFieldInItsPlace) {
  SpanData span;
  span.context = {.trace_id = {0x0102030405060708, 0x090a0b0c0d0e0f10},
                  .span_id = {0xf1f2f3f4f5f6f7f8},
                  .sampled = true,
                  .trace_state = "vendor=1"};
  span.parent = {0x1122334455667788};
  span.name = "ridestream.trip.v1.TripService/GetTrip";
  span.kind = SpanKind::kServer;
  span.start = Time(1'000'001us);
  span.end = Time(1'000'003us);
  span.attributes = {
      {"text", std::string("t")}, {"number", std::int64_t{-7}}, {"real", 0.5}, {"flag", true}};
  span.events = {{Time(1'000'002us), "event", {{"rows", std::int64_t{3}}}}};
  span.links = {{{.trace_id = {1, 2}, .span_id = {3}}, {{"why", std::string("round")}}}};
  span.status = SpanStatus::kError;
  span.status_message = "lost";
  span.dropped_attributes = 1;
  span.dropped_events = 2;
  span.dropped_links = 3;

  const auto request = ToOtlp({{"service.name", std::string("trip")}}, {span, {}});

  ASSERT_EQ(request.resource_spans_size(), 1);
  const auto& resource = request.resource_spans(0);
  ASSERT_EQ(resource.resource().attributes_size(), 1);
  EXPECT_EQ(resource.resource().attributes(0).key(), "service.name");
  EXPECT_EQ(resource.resource().attributes(0).value().string_value(), "trip");
  ASSERT_EQ(resource.scope_spans_size(), 1);
  ASSERT_EQ(resource.scope_spans(0).spans_size(), 2);
  const Wire& wire = resource.scope_spans(0).spans(0);
  EXPECT_EQ(wire.trace_id(), "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10");
  EXPECT_EQ(wire.span_id(), "\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8");
  EXPECT_EQ(wire.parent_span_id(), "\x11\x22\x33\x44\x55\x66\x77\x88");
  EXPECT_EQ(wire.trace_state(), "vendor=1");
  EXPECT_EQ(wire.flags(), 1u);
  EXPECT_EQ(wire.name(), span.name);
  EXPECT_EQ(wire.kind(), Wire::SPAN_KIND_SERVER);
  EXPECT_EQ(wire.start_time_unix_nano(), 1'000'001'000u);
  EXPECT_EQ(wire.end_time_unix_nano(), 1'000'003'000u);
  ASSERT_EQ(wire.attributes_size(), 4);
  EXPECT_EQ(wire.attributes(0).value().string_value(), "t");
  EXPECT_EQ(wire.attributes(1).value().int_value(), -7);
  EXPECT_EQ(wire.attributes(2).value().double_value(), 0.5);
  EXPECT_TRUE(wire.attributes(3).value().bool_value());
  ASSERT_EQ(wire.events_size(), 1);
  EXPECT_EQ(wire.events(0).time_unix_nano(), 1'000'002'000u);
  EXPECT_EQ(wire.events(0).name(), "event");
  EXPECT_EQ(wire.events(0).attributes(0).value().int_value(), 3);
  ASSERT_EQ(wire.links_size(), 1);
  EXPECT_EQ(wire.links(0).span_id(), std::string("\0\0\0\0\0\0\0\3", 8));
  EXPECT_EQ(wire.links(0).attributes(0).key(), "why");
  EXPECT_EQ(wire.status().code(), opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  EXPECT_EQ(wire.status().message(), "lost");
  EXPECT_EQ(wire.dropped_attributes_count(), 1u);
  EXPECT_EQ(wire.dropped_events_count(), 2u);
  EXPECT_EQ(wire.dropped_links_count(), 3u);

  const Wire& root = resource.scope_spans(0).spans(1);
  EXPECT_EQ(root.parent_span_id(), "") << "a span without a parent names none";
  EXPECT_FALSE(root.has_status());
  EXPECT_EQ(root.kind(), Wire::SPAN_KIND_INTERNAL);
}

TEST(ToOtlpTest, ReplacesTheBytesThatAreNotUtf8) {
  SpanData span;
  span.name = "caf\xc3\xa9 \xff\xc3";
  const auto request = ToOtlp({}, {span});
  EXPECT_EQ(request.resource_spans(0).scope_spans(0).spans(0).name(), "caf\xc3\xa9 ??");
}

}  // namespace
}  // namespace ridestream::tracing
