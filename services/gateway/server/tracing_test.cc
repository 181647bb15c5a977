// The gateway's spans, and the trace context that reaches the services.

#include <string>

#include "gmock/gmock.h"
#include "libs/tracing/testing/recorded_spans.h"
#include "services/gateway/testing/gateway_under_test.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {
namespace {

using ::testing::MatchesRegex;
using tracing::SpanData;
using tracing::SpanKind;

constexpr char kTracedMethod[] = "ridestream.trip.v1.TripService/QuoteTrip";

class GatewayTracingTest : public GatewayTest {
 protected:
  GatewayTracingTest() { spans_.Clear(); }

  /// The traceparent that trip received.
  std::string Quote(const Headers& more) {
    Headers headers = {{"content-type", "application/json"}, {"ridestream-caller", "rider/r-1"}};
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
