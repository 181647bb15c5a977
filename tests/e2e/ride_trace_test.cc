// The spans of one ride through all services are a public interface, whatever collects them. They
// are listed in docs/tracing.md.

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "libs/rpc/server.h"
#include "libs/testing/status_matchers.h"
#include "libs/tracing/collector/span_collector.h"
#include "tests/e2e/jaeger.h"
#include "tests/e2e/traced_ride.h"

namespace ridestream::e2e {
namespace {

TEST(RideTraceTest, OneRideIsOneTraceThroughAllServices) {
  tracing::SpanCollector collector;
  const auto server = rpc::Server::Start({.services = {&collector}});
  ASSERT_THAT(server, ridestream::testing::IsOk());
  // Rounds are traces of their own: the ride's tree picks those that it links to.
  ExpectRideTrace((*server)->address(), [&collector](const tracing::TraceId& trace) {
    std::vector<tracing::CollectedSpan> spans = collector.spans();
    std::erase_if(spans, [&trace](const tracing::CollectedSpan& span) {
      return span.data.context.trace_id != trace;
    });
    return spans;
  });
}

TEST(RideTraceTest, JaegerShowsOneRideAsOneTrace) {
  const auto jaeger = Jaeger::Start();
  if (absl::IsNotFound(jaeger.status())) GTEST_SKIP() << jaeger.status().message();
  ASSERT_THAT(jaeger, ridestream::testing::IsOk());
  ExpectRideTrace((*jaeger)->otlp_address(), [&jaeger](const tracing::TraceId& trace) {
    auto spans = (*jaeger)->Read(trace);
    EXPECT_THAT(spans, ridestream::testing::IsOk());
    return spans.ok() ? *std::move(spans) : std::vector<tracing::CollectedSpan>{};
  });
}

}  // namespace
}  // namespace ridestream::e2e
