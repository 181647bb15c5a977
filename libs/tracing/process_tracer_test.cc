#include "libs/tracing/process_tracer.h"

#include <gtest/gtest.h>

#include <memory>

namespace ridestream::tracing {
namespace {

class CountingSink final : public SpanSink {
 public:
  void Add(SpanData) override { ++spans; }
  int spans = 0;
};

TEST(ProcessTracerTest, RecordsNothingUntilATracerIsSet) {
  EXPECT_EQ(ProcessTracer(), nullptr);
  EXPECT_EQ(ProcessFigures().bound, 0u);
  {
    Span span = StartSpan("off");
    span.SetAttribute("key", true);
    span.AddEvent("event");
    span.AddLink({.trace_id = {1, 2}, .span_id = {3}});
    span.SetStatus(SpanStatus::kError);
    EXPECT_FALSE(span.recording());
    EXPECT_FALSE(span.context().valid());
  }
  const auto sink = std::make_shared<CountingSink>();
  UseTracer(std::make_shared<Tracer>(
                Tracer::Options{.clock = std::make_shared<ManualClock>(), .sink = sink}),
            [] { return Figures{.bound = 7}; });
  EXPECT_TRUE(StartSpan("on").recording());
  EXPECT_EQ(sink->spans, 1);
  EXPECT_EQ(ProcessFigures().bound, 7u);
}

}  // namespace
}  // namespace ridestream::tracing
