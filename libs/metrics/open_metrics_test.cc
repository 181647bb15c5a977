#include "libs/metrics/open_metrics.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"

namespace ridestream::metrics {
namespace {

TEST(OpenMetricsTest, ConformsToTheSpecification) {
  prometheus::Registry registry;
  prometheus::BuildCounter()
      .Name("calls_total")
      .Help("Calls, \"all\" of them\nand \\ more")
      .Register(registry)
      .Add({{"method", "a \"b\"\n\\"}})
      .Increment(3);
  prometheus::BuildCounter().Name("odd").Register(registry).Add({}).Increment(1);
  prometheus::BuildGauge().Name("depth").Help("Depth").Register(registry).Add({}).Set(0.25);
  auto& histogram = prometheus::BuildHistogram()
                        .Name("call_seconds")
                        .Help("Duration")
                        .Register(registry)
                        .Add({{"method", "get"}}, prometheus::Histogram::BucketBoundaries{0.01, 1});
  histogram.Observe(0.005);
  histogram.Observe(0.005);
  histogram.Observe(7);
  Exemplars exemplars;
  BucketExemplars& traced = *exemplars.Add("call_seconds", {{"method", "get"}}, {0.01, 1});
  const std::chrono::system_clock::time_point at{std::chrono::milliseconds(1'700'000'000'250)};
  traced.Keep({.trace = {0x0af7651916cd43dd, 0x8448eb211c80319c}, .value = 0.005, .at = at});
  // Newer than what was counted.
  traced.Keep({.trace = {1, 2}, .value = 0.5, .at = at});
  traced.Keep({.trace = {1, 3}, .value = 7, .at = at});
  EXPECT_EQ(ToOpenMetrics(registry.Collect(), exemplars),
            "# TYPE calls counter\n"
            "# HELP calls Calls, \\\"all\\\" of them\\nand \\\\ more\n"
            "calls_total{method=\"a \\\"b\\\"\\n\\\\\"} 3.0\n"
            "# TYPE odd unknown\n"
            "odd 1.0\n"
            "# TYPE depth gauge\n"
            "# HELP depth Depth\n"
            "depth 0.25\n"
            "# TYPE call_seconds histogram\n"
            "# HELP call_seconds Duration\n"
            "call_seconds_bucket{method=\"get\",le=\"0.01\"} 2"
            " # {trace_id=\"0af7651916cd43dd8448eb211c80319c\"} 0.005 1700000000.250\n"
            "call_seconds_bucket{method=\"get\",le=\"1.0\"} 2\n"
            "call_seconds_bucket{method=\"get\",le=\"+Inf\"} 3"
            " # {trace_id=\"00000000000000010000000000000003\"} 7.0 1700000000.250\n"
            "call_seconds_sum{method=\"get\"} 7.01\n"
            "call_seconds_count{method=\"get\"} 3\n"
            "# EOF\n");
}

TEST(OpenMetricsTest, IsServedWhenTheClientPrefersIt) {
  struct Case {
    const char* accept;
    bool accepts;
  } const cases[] = {
      {"", false},
      {"*/*", false},
      {"text/plain", false},
      {"application/openmetrics-text", true},
      {"Application/OpenMetrics-Text; version=1.0.0", true},
      {"application/openmetrics-text;q=0", false},
      {"application/openmetrics-text;q=x", false},
      {"text/plain;q=0.9, application/openmetrics-text;q=0.5", false},
      {"application/openmetrics-textual", false},
      // Prometheus 2.42.
      {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
       "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       true},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(AcceptsOpenMetrics(each.accept), each.accepts) << each.accept;
  }
}

}  // namespace
}  // namespace ridestream::metrics
