#include "libs/tracing/span_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ridestream::tracing {
namespace {

SpanData Named(const char* name) {
  SpanData span;
  span.name = name;
  return span;
}

TEST(SpanQueueTest, GivesTheOldestFirst) {
  SpanQueue queue(8);
  EXPECT_EQ(queue.Add(Named("a")), 1u);
  EXPECT_EQ(queue.Add(Named("b")), 2u);
  EXPECT_EQ(queue.Add(Named("c")), 3u);
  const auto first = queue.Take(2);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].name, "a");
  EXPECT_EQ(first[1].name, "b");
  ASSERT_EQ(queue.Take(2).size(), 1u);
  EXPECT_TRUE(queue.Take(2).empty());
}

TEST(SpanQueueTest, DropsAndCountsSpansWhenFull) {
  SpanQueue queue(2);
  for (const char* name : {"a", "b", "c", "d"}) queue.Add(Named(name));
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.dropped(), 2u);
  EXPECT_EQ(queue.Take(8).back().name, "b") << "the spans that came first stay";
  EXPECT_EQ(queue.Add(Named("e")), 1u) << "there is room again";
  EXPECT_EQ(queue.dropped(), 2u);
}

}  // namespace
}  // namespace ridestream::tracing
