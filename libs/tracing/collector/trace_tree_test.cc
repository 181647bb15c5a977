#include "libs/tracing/collector/trace_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "libs/tracing/otlp/to_otlp.h"

namespace ridestream::tracing {
namespace {

using namespace std::chrono_literals;

constexpr TraceId kRide{1, 2};
constexpr TraceId kRound{3, 4};

CollectedSpan Make(const std::string& name, const TraceId& trace, std::uint64_t id,
                   std::uint64_t parent, Duration start, Duration end) {
  CollectedSpan span{"dispatch", {}};
  span.data.context = {.trace_id = trace, .span_id = {id}, .sampled = true};
  span.data.parent = {parent};
  span.data.name = name;
  span.data.start = Time(start);
  span.data.end = Time(end);
  return span;
}

TEST(TraceTreeTest, ShowsChildrenInOrderAndLinkedTracesBelowTheirLink) {
  std::vector<CollectedSpan> spans = {
      Make("search", kRound, 8, 7, 21ms, 22ms), Make("part", kRide, 3, 1, 20ms, 30ms),
      Make("wait", kRide, 2, 1, 10ms, 20ms),    Make("round", kRound, 7, 0, 20ms, 30ms),
      Make("request", kRide, 1, 99, 5ms, 8ms),  Make("other ride", {5, 6}, 1, 0, 0ms, 1ms)};
  spans[1].data.links = {{.context = spans[3].data.context}};
  spans[3].data.links = {{.context = spans[4].data.context}, {.context = spans[5].data.context}};
  spans[0].data.status = SpanStatus::kError;
  spans[0].data.status_message = "too late";
  EXPECT_EQ(FormatTraceTree(BuildTraceTree(spans, kRide)),
            "  start ms    took ms  service   span\n"
            "       0.0        3.0  dispatch  request\n"
            "       5.0       10.0  dispatch    wait\n"
            "      15.0       10.0  dispatch    part\n"
            "      15.0       10.0  dispatch      ~ round\n"
            "      16.0        1.0  dispatch        search  ERROR too late\n");
}

TEST(TraceTreeTest, TraceThatIsUnknownHasNoTree) {
  EXPECT_TRUE(BuildTraceTree({Make("a", kRide, 1, 0, 0ms, 1ms)}, kRound).empty());
}

}  // namespace
}  // namespace ridestream::tracing
