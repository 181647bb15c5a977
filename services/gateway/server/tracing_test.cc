// The gateway's spans, and the trace context that reaches the services.

#include <string>

#include "gmock/gmock.h"
#include "libs/tracing/testing/recorded_spans.h"
#include "services/gateway/testing/gateway_under_test.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {
namespace {

using ::testing::EndsWith;
using ::testing::MatchesRegex;
using ::testing::StartsWith;
using tracing::SpanData;
using tracing::SpanKind;

constexpr char kTracedMethod[] = "ridestream.trip.v1.TripService/QuoteTrip";

class GatewayTracingTest : public GatewayTest {
 protected:
  GatewayTracingTest() { spans_.Clear(); }

  /// The traceparent that trip received.
  std::string Quote(const Headers& more, const std::string& caller = "rider/r-1") {
    Headers headers = {{"content-type", "application/json"}, {"ridestream-caller", caller}};
    for (const auto& [name, value] : more) headers.Add(name, value);
    TestClient client(port());
    const auto answer = client.Call("POST", "/v1/markets/porto/quotes", headers, "{}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    return std::string(answer.headers.Get("seen-traceparent"));
  }

  tracing::testing::RecordedSpans& spans_ = tracing::testing::RecordedSpans::OfProcess();
};

TEST_F(GatewayTracingTest, ServicesContinueTheGatewaysSpanWhichContinuesTheClients) {
  const std::string seen =
      Quote({{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
             {"tracestate", "vendor=1"}});
  const SpanData client = spans_.Await(SpanKind::kClient, kTracedMethod);
  const SpanData server = spans_.Await(SpanKind::kServer, kTracedMethod);
  EXPECT_EQ(client.parent.ToHex(), "b7ad6b7169203331");
  EXPECT_EQ(server.parent, client.context.span_id);
  EXPECT_EQ(server.context.trace_id.ToHex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(server.context.trace_state, "vendor=1");
  EXPECT_EQ(seen, tracing::FormatTraceParent(client.context)) << "and no second one";
}

TEST_F(GatewayTracingTest, ObeysTheSampledFlagOfOperatorsAlone) {
  struct Case {
    const char* caller;
    bool forces;
  } const cases[] = {{"rider/r-1", false}, {"driver/d-1", false},  {"viewer/v-1", false},
                     {"nobody", false},    {"operator/o-1", true}, {"service/trip", false}};
  for (const Case& each : cases) {
    SCOPED_TRACE(each.caller);
    for (const bool wish : {false, true}) {
      for (const bool sample : {false, true}) {
        spans_.SampleNew(sample);
        const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-";
        const std::string seen = Quote(
            {{"traceparent", trace + "b7ad6b7169203331-" + (wish ? "01" : "00")}}, each.caller);
        EXPECT_THAT(seen, StartsWith(trace)) << "the trace goes on";
        EXPECT_THAT(seen, EndsWith((each.forces ? wish : sample) ? "-01" : "-00"))
            << wish << sample;
      }
    }
  }
}

TEST_F(GatewayTracingTest, StartsATraceWhereTheClientNamesNoValidOne) {
  for (const Headers& headers : {Headers{}, Headers{{"traceparent", "a level=error"}}}) {
    spans_.Clear();
    EXPECT_THAT(Quote(headers), MatchesRegex("00-[0-9a-f]{32}-[0-9a-f]{16}-01"));
    const SpanData client = spans_.Await(SpanKind::kClient, kTracedMethod);
    EXPECT_FALSE(client.parent.valid());
  }
}

}  // namespace
}  // namespace ridestream::gateway
