#include "libs/tracing/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ridestream::tracing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ListSink final : public SpanSink {
 public:
  void Add(SpanData span) override { spans.push_back(std::move(span)); }
  std::vector<SpanData> spans;
};

class TracerTest : public ::testing::Test {
 protected:
  /// Ids are 1, 2, 3 …, unless `draw` says otherwise.
  Tracer MakeTracer(double ratio, Tracer::Options options = {}) {
    options.ratio = ratio;
    options.slow = 1s;
    options.clock = clock_;
    options.sink = sink_;
    if (options.draw == nullptr) {
      options.draw = [this] { return ++last_id_; };
    }
    return Tracer(std::move(options));
  }
  std::vector<std::string> Kept() const {
    std::vector<std::string> names;
    for (const SpanData& span : sink_->spans) names.push_back(span.name);
    return names;
  }

  const std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  const std::shared_ptr<ListSink> sink_ = std::make_shared<ListSink>();
  std::uint64_t last_id_ = 0;
};

TEST_F(TracerTest, TraceThatBeginsWithALinkToASampledOneIsSampled) {
  const Tracer tracer = MakeTracer(0);
  const SpanContext sampled{.trace_id = {7, 8}, .span_id = {9}, .sampled = true};
  SpanContext unsampled = sampled;
  unsampled.sampled = false;
  EXPECT_TRUE(tracer.Start("round", {.links = {{unsampled}, {sampled}}}).context().sampled);
  EXPECT_FALSE(tracer.Start("round", {.links = {{unsampled}}}).context().sampled);
}

TEST_F(TracerTest, RecordsAllValuesOfASpan) {
  const Tracer tracer = MakeTracer(1);
  const Time start = clock_->Now();
  Span span = tracer.Start("parent", {.kind = SpanKind::kServer});
  span.SetAttribute("rpc.method", std::string("GetTrip"));
  span.SetAttribute("tries", std::int64_t{1});
  span.SetAttribute("tries", std::int64_t{2});
  clock_->Advance(5ms);
  span.AddEvent("committed", {{"rows", std::int64_t{3}}});
  span.AddLink({.trace_id = {7, 8}, .span_id = {9}}, {{"why", true}});
  span.AddLink({});
  span.SetStatus(SpanStatus::kError, "no driver");
  clock_->Advance(1ms);
  span.End();
  EXPECT_FALSE(span.recording());
  span.End();
  ASSERT_EQ(sink_->spans.size(), 1u);
  const SpanData& data = sink_->spans.front();
  EXPECT_EQ(data.name, "parent");
  EXPECT_EQ(data.kind, SpanKind::kServer);
  EXPECT_EQ(data.context.trace_id, (TraceId{1, 2}));
  EXPECT_EQ(data.context.span_id, SpanId{3});
  EXPECT_FALSE(data.parent.valid());
  EXPECT_EQ(data.start, start);
  EXPECT_EQ(data.end, start + 6ms);
  EXPECT_THAT(data.attributes, ElementsAre(Attribute{"rpc.method", std::string("GetTrip")},
                                           Attribute{"tries", std::int64_t{2}}));
  ASSERT_EQ(data.events.size(), 1u);
  EXPECT_EQ(data.events.front().name, "committed");
  EXPECT_EQ(data.events.front().time, start + 5ms);
  ASSERT_EQ(data.links.size(), 1u) << "a context that isn't valid is no link";
  EXPECT_EQ(data.links.front().context.span_id, SpanId{9});
  EXPECT_EQ(data.status, SpanStatus::kError);
  EXPECT_EQ(data.status_message, "no driver");
}

TEST_F(TracerTest, ChildrenShareTheTraceAndItsState) {
  const Tracer tracer = MakeTracer(0);
  const auto remote =
      ParseTraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1");
  Span parent = tracer.Start("parent", {.parent = *remote});
  Span child = tracer.Start("child", {.parent = parent.context()});
  EXPECT_EQ(child.context().trace_id, remote->trace_id);
  EXPECT_EQ(child.context().trace_state, "vendor=1");
  child.End();
  parent.End();
  ASSERT_THAT(Kept(), ElementsAre("child", "parent")) << "the caller's decision holds, not ours";
  EXPECT_EQ(sink_->spans[0].parent, sink_->spans[1].context.span_id);
  EXPECT_EQ(sink_->spans[1].parent, remote->span_id);
}

TEST_F(TracerTest, FollowsACallerThatDidNotSample) {
  const Tracer tracer = MakeTracer(1);
  const auto remote = ParseTraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  Span span = tracer.Start("span", {.parent = *remote});
  EXPECT_FALSE(span.context().sampled);
  span.End();
  EXPECT_THAT(Kept(), IsEmpty());
}

TEST_F(TracerTest, SamplesAgainWhereTheParentIsNotTrusted) {
  // A stranger who knows the rule would choose a trace id that is always sampled.
  const SpanContext parent{.trace_id = {7, 0}, .span_id = {9}, .sampled = true};
  std::uint64_t drawn = 0;
  const Tracer tracer = MakeTracer(0.5, {.draw = [&drawn] { return drawn; }});
  for (const auto& [draw, sampled] :
       {std::pair{std::uint64_t{1}, true}, std::pair{std::uint64_t{1} << 55, false}}) {
    drawn = draw;
    const Span span = tracer.Start("served", {.parent = parent, .follow_parent = false});
    EXPECT_EQ(span.context().sampled, sampled);
    EXPECT_EQ(span.context().trace_id, parent.trace_id);
    EXPECT_EQ(tracer.Start("child", {.parent = span.context()}).context().sampled, sampled);
  }
}

TEST_F(TracerTest, SamplesByTheLow56BitsOfTheTraceId) {
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 55;
  struct Case {
    double ratio;
    std::uint64_t low;
    bool is_sampled;
  } const cases[] = {
      {0, 1, false},
      {0.5, kHalf - 1, true},
      {0.5, kHalf, false},
      {1, 2 * kHalf - 1, true},
      {0.5, (std::uint64_t{0xff} << 56) | 1, true},
  };
  for (const Case& each : cases) {
    const Tracer tracer = MakeTracer(each.ratio, {.draw = [&] { return each.low; }});
    EXPECT_EQ(tracer.Start("span").context().sampled, each.is_sampled)
        << each.ratio << " of " << each.low;
  }
}

TEST_F(TracerTest, SamplesTheConfiguredShare) {
  const Tracer tracer(Tracer::Options{.ratio = 0.25, .slow = 1h, .clock = clock_, .sink = sink_});
  for (int i = 0; i < 4'000; ++i) tracer.Start("span").End();
  EXPECT_NEAR(static_cast<double>(sink_->spans.size()), 1'000, 200);  // 7 standard deviations.
}

TEST_F(TracerTest, KeepsAnUnsampledTraceOfWhichASpanFailed) {
  const Tracer tracer = MakeTracer(0);
  Span root = tracer.Start("root");
  tracer.Start("before", {.parent = root.context()}).End();
  EXPECT_EQ(tracer.held(), 1u);
  Span failing = tracer.Start("failing", {.parent = root.context()});
  failing.SetStatus(SpanStatus::kError);
  failing.End();
  tracer.Start("after", {.parent = root.context()}).End();
  root.End();
  EXPECT_THAT(Kept(), ElementsAre("before", "failing", "after", "root"));
  EXPECT_EQ(tracer.held(), 0u);
}

TEST_F(TracerTest, KeepsAnUnsampledTraceThatWasSlow) {
  const Tracer tracer = MakeTracer(0);
  Span root = tracer.Start("root");
  const SpanContext context = root.context();
  tracer.Start("child", {.parent = context}).End();
  clock_->Advance(1s);
  root.End();
  tracer.Start("late", {.parent = context}).End();
  EXPECT_THAT(Kept(), ElementsAre("child", "root", "late"));
}

TEST_F(TracerTest, DiscardsAnUnsampledTraceThatWasFastAndSuccessful) {
  const Tracer tracer = MakeTracer(0);
  Span root = tracer.Start("root");
  const SpanContext context = root.context();
  Span child = tracer.Start("child", {.parent = context});
  clock_->Advance(999ms);
  child.End();
  root.End();
  tracer.Start("late", {.parent = context}).End();
  EXPECT_THAT(Kept(), IsEmpty());
  EXPECT_EQ(tracer.held(), 0u);
  EXPECT_EQ(tracer.dropped(), 0u) << "nothing was lost, as nothing was wanted";
}

TEST_F(TracerTest, BoundsWhatATraceHolds) {
  const Tracer tracer = MakeTracer(0, {.max_held_per_trace = 2});
  Span root = tracer.Start("root");
  for (int i = 0; i < 5; ++i) tracer.Start("child", {.parent = root.context()}).End();
  EXPECT_EQ(tracer.held(), 2u);
  EXPECT_EQ(tracer.dropped(), 3u);
  root.SetStatus(SpanStatus::kError);
  root.End();
  EXPECT_THAT(Kept(), ElementsAre("child", "child", "root"));
}

TEST_F(TracerTest, BoundsWhatAllTracesHoldAndFreesItWithThem) {
  const Tracer tracer = MakeTracer(0, {.max_held = 2});
  {
    Span a = tracer.Start("a");
    Span b = tracer.Start("b");
    tracer.Start("child", {.parent = a.context()}).End();
    tracer.Start("child", {.parent = b.context()}).End();
    tracer.Start("child", {.parent = b.context()}).End();
    EXPECT_EQ(tracer.held(), 2u);
    EXPECT_EQ(tracer.dropped(), 1u);
  }
  EXPECT_EQ(tracer.held(), 0u);
  Span c = tracer.Start("c");
  tracer.Start("child", {.parent = c.context()}).End();
  EXPECT_EQ(tracer.held(), 1u) << "there is room again";
}

TEST_F(TracerTest, BoundsASpan) {
  const Tracer tracer = MakeTracer(1);
  Span span = tracer.Start("span");
  for (int i = 0; i < 200; ++i) {
    span.SetAttribute("key" + std::to_string(i), std::int64_t{i});
    span.AddEvent("event");
    span.AddLink({.trace_id = {1, 2}, .span_id = {3}});
  }
  span.End();
  const SpanData& data = sink_->spans.front();
  EXPECT_EQ(data.attributes.size(), kMaxAttributes);
  EXPECT_EQ(data.dropped_attributes, 200 - kMaxAttributes);
  EXPECT_EQ(data.events.size(), kMaxEvents);
  EXPECT_EQ(data.dropped_events, 200 - kMaxEvents);
  EXPECT_EQ(data.links.size(), kMaxLinks);
  EXPECT_EQ(data.dropped_links, 200 - kMaxLinks);
}

TEST_F(TracerTest, AcceptsTimesThatWereMeasuredEarlier) {
  const Tracer tracer = MakeTracer(1);
  const Time queued = clock_->Now();
  clock_->Advance(5ms);
  tracer.Start("wait", {.start = queued}).EndAt(queued + 2ms);
  tracer.Start("backwards", {.start = queued}).EndAt(queued - 1ms);
  ASSERT_THAT(Kept(), ElementsAre("wait", "backwards"));
  EXPECT_EQ(sink_->spans[0].start, queued);
  EXPECT_EQ(sink_->spans[0].end, queued + 2ms);
  EXPECT_EQ(sink_->spans[1].end, queued) << "a span doesn't end before it starts";
}

TEST_F(TracerTest, EndsASpanWhenItIsReplacedOrDestroyed) {
  const Tracer tracer = MakeTracer(1);
  {
    Span span = tracer.Start("first");
    span = tracer.Start("second");
    EXPECT_THAT(Kept(), ElementsAre("first"));
    const Span moved = std::move(span);
    EXPECT_THAT(Kept(), ElementsAre("first"));
  }
  EXPECT_THAT(Kept(), ElementsAre("first", "second"));
}

}  // namespace
}  // namespace ridestream::tracing
