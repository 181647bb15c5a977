// A gateway in front of two markets that different processes serve. Each call goes to the process
// of its market, over every protocol.

#include <fmt/format.h>

#include <string>

#include "gmock/gmock.h"
#include "services/gateway/grpc_web/frame.h"
#include "services/gateway/testing/fake_services.h"
#include "services/gateway/testing/gateway_under_test.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {
namespace {

using ::testing::HasSubstr;

constexpr char kNearest[] = "/ridestream.location.v1.LocationService/FindNearest";
constexpr char kWebType[] = "application/grpc-web+proto";

class GatewayMarketsTest : public GatewayTest {
 protected:
  GatewayMarketsTest() {
    Start("", {}, fmt::format("porto={},lisbon={}", services_.address(), lisbon_.address()));
  }

  /// A FindNearest request. Its own market shows which process it reached.
  static std::string Question(const std::string& market) {
    location::v1::FindNearestRequest request;
    request.set_market(market);
    request.add_queries();
    return DataFrame(request.SerializeAsString());
  }
  std::string FindNearestByWeb(const Headers& market, const std::string& frame) {
    Headers headers = {{"content-type", kWebType}};
    for (const auto& [name, value] : market) headers.Add(name, value);
    return TestClient(port()).Call("POST", kNearest, headers, frame).body;
  }

  FakeServices lisbon_;  // services_ serves porto.
};

TEST_F(GatewayMarketsTest, RoutesRestByTheMarketOfThePath) {
  TestClient client(port());
  EXPECT_EQ(client.Call("GET", "/v1/markets/porto/drivers:nearest?queries.limit=1").status, 200);
  EXPECT_EQ(client.Call("GET", "/v1/markets/lisbon/drivers:nearest?queries.limit=1").status, 200);
  EXPECT_EQ(services_.last_find_nearest().market(), "porto");
  EXPECT_EQ(lisbon_.last_find_nearest().market(), "lisbon");
}

TEST_F(GatewayMarketsTest, RefusesRestThatNamesTwoMarkets) {
  const auto answer =
      TestClient(port()).Call("GET", "/v1/markets/porto/drivers:nearest?queries.limit=1",
                              {{"ridestream-market", "lisbon"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("names another market than the path"));
}

TEST_F(GatewayMarketsTest, ForwardsTheMarketOfThePathToTheService) {
  const auto answer = TestClient(port()).Call("POST", "/v1/markets/porto/quotes",
                                              {{"content-type", "application/json"}}, "{}");
  EXPECT_EQ(answer.headers.Get("seen-market"), "porto");
}

TEST_F(GatewayMarketsTest, RoutesGrpcWebByItsHeader) {
  EXPECT_THAT(FindNearestByWeb({{"ridestream-market", "lisbon"}}, Question("said-lisbon")),
              HasSubstr("grpc-status: 0"));
  EXPECT_EQ(lisbon_.last_find_nearest().market(), "said-lisbon");
  EXPECT_EQ(services_.last_find_nearest().market(), "");
}

TEST_F(GatewayMarketsTest, RoutesWebSocketsByTheirMetadata) {
  TestClient client(port());
  ASSERT_EQ(client.OpenWebSocket(kNearest, "grpc-websockets"), 101);
  client.SendBinary("ridestream-market: porto\r\n");
  client.SendBinary(std::string(1, '\0') + Question("said-porto"));
  client.SendBinary("\1");
  client.ReadFrame();  // Headers.
  client.ReadFrame();  // The response.
  EXPECT_THAT(client.ReadFrame().payload, HasSubstr("grpc-status: 0"));
  EXPECT_EQ(services_.last_find_nearest().market(), "said-porto");
  EXPECT_EQ(lisbon_.last_find_nearest().market(), "");
}

TEST_F(GatewayMarketsTest, NamesTheServedMarketsToCallsForAnother) {
  constexpr char kWhich[] = "market 'atlantis' isn't served here, only lisbon, porto";
  const auto rest = TestClient(port()).Call("GET", "/v1/markets/atlantis/drivers:nearest");
  EXPECT_EQ(rest.status, 400);
  EXPECT_THAT(rest.body, HasSubstr("FAILED_PRECONDITION"));
  EXPECT_THAT(rest.body, HasSubstr(kWhich));
  const auto events = TestClient(port()).Call("GET", "/v1/markets/atlantis/drivers:watch");
  EXPECT_EQ(events.status, 400);
  EXPECT_THAT(events.body, HasSubstr(kWhich));
  EXPECT_THAT(FindNearestByWeb({{"ridestream-market", "atlantis"}}, Question("m")),
              HasSubstr("grpc-status: 9\r\n"));

  TestClient socket(port());
  ASSERT_EQ(socket.OpenWebSocket(kNearest, "grpc-websockets"), 101);
  socket.SendBinary("ridestream-market: atlantis\r\n");
  socket.ReadFrame();  // Headers.
  EXPECT_THAT(socket.ReadFrame().payload, HasSubstr("grpc-status: 9\r\n"));
  EXPECT_EQ(socket.ReadFrame().opcode, 8);
}

TEST_F(GatewayMarketsTest, DemandsAMarketWhereSeveralAreServed) {
  EXPECT_THAT(FindNearestByWeb({}, Question("porto")), HasSubstr("grpc-status: 3\r\n"));
  EXPECT_THAT(FindNearestByWeb({}, Question("porto")), HasSubstr("ridestream-market: is missing"));
}

}  // namespace
}  // namespace ridestream::gateway
