// gRPC-Web and WebSockets against fake services, byte by byte.

#include "services/gateway/server/gateway.h"

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "services/gateway/grpc_web/frame.h"
#include "services/gateway/testing/gateway_under_test.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

constexpr char kQuote[] = "/ridestream.trip.v1.TripService/QuoteTrip";
constexpr char kGet[] = "/ridestream.trip.v1.TripService/GetTrip";
constexpr char kList[] = "/ridestream.trip.v1.TripService/ListTrips";
constexpr char kWatch[] = "/ridestream.location.v1.LocationService/WatchArea";
constexpr char kDrive[] = "/ridestream.dispatch.v1.DispatchService/Drive";
constexpr char kType[] = "application/grpc-web+proto";
const Headers kProto = {{"content-type", kType}};

/// The payloads of the frames in a body. Headers and trailers are prefixed with their flag.
std::vector<std::string> Frames(std::string_view body) {
  std::vector<std::string> frames;
  while (body.size() >= kFrameHeader) {
    std::size_t length = 0;
    for (std::size_t i = 1; i < kFrameHeader; ++i) {
      length = length << 8 | static_cast<unsigned char>(body[i]);
    }
    const bool is_message = body[0] == 0;
    frames.push_back((is_message ? "" : "trailers ") +
                     std::string(body.substr(kFrameHeader, length)));
    body.remove_prefix(std::min(body.size(), kFrameHeader + length));
  }
  return frames;
}

template <class Message>
Message Parse(const std::string& bytes) {
  Message message;
  EXPECT_TRUE(message.ParseFromString(bytes));
  return message;
}

std::string QuoteFrame(const std::string& market = "city") {
  trip::v1::QuoteTripRequest request;
  request.set_market(market);
  request.set_party_size(2);
  return DataFrame(request.SerializeAsString());
}

std::string WatchFrame(const std::string& market) {
  location::v1::WatchAreaRequest request;
  request.set_market(market);
  return DataFrame(request.SerializeAsString());
}

TEST_F(GatewayTest, AnswersAUnaryCallWithMessageTrailersAndMetadata) {
  TestClient client(port());
  const auto answer = client.Call("POST", kQuote,
                                  {{"content-type", "application/grpc-web+proto"},
                                   {"ridestream-caller", "rider/r-17"},
                                   {"grpc-timeout", "3S"}},
                                  QuoteFrame());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.Get("content-type"), "application/grpc-web+proto");
  EXPECT_EQ(answer.headers.Get("seen-caller"), "rider/r-17");
  // gRPC rounds the timeout up on the wire.
  EXPECT_LE(std::stoi(std::string(answer.headers.Get("seen-timeout-ms"))), 3100);
  const auto frames = Frames(answer.body);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(Parse<trip::v1::QuoteTripResponse>(frames[0]).quote_id(), "city");
  EXPECT_EQ(frames[1], "trailers grpc-status: 0\r\ntrailing-bin: AAE=\r\n");
}

TEST_F(GatewayTest, GivesAUnaryCallADeadlineOfItsOwn) {
  TestClient client(port());
  const auto answer = client.Call("POST", kQuote, kProto, QuoteFrame());
  EXPECT_LE(std::stoi(std::string(answer.headers.Get("seen-timeout-ms"))), 15'500);
}

TEST_F(GatewayTest, NeverForwardsHeadersReservedByGrpc) {
  Headers hostile = {
      {"grpclb_client_stats", "x"}, {"lb-token", "x"}, {"grpc-internal-encoding-request", "gzip"}};
  TestClient client(port());
  EXPECT_EQ(client.Call("GET", "/v1/trips/t-1", hostile).status, 200);
  hostile.Add("content-type", kType);
  EXPECT_EQ(client.Call("POST", kQuote, hostile, QuoteFrame()).status, 200);
  TestClient socket(port());
  ASSERT_EQ(socket.OpenWebSocket(kQuote, "grpc-websockets"), 101);
  socket.SendBinary("grpclb_client_stats: x\r\n");
  socket.SendBinary(std::string(1, '\0') + QuoteFrame());
  socket.SendBinary("\1");
  EXPECT_EQ(socket.ReadFrame().opcode, 2);
  TestClient after(port());
  EXPECT_EQ(after.Call("GET", "/v1/trips/t-1").status, 200);
}

TEST_F(GatewayTest, RefusesACallerThatIsNamedTwice) {
  TestClient client(port());
  const auto rest = client.Call(
      "GET", "/v1/trips/t-1", {{"ridestream-caller", "rider/a"}, {"Ridestream-Caller", "rider/b"}});
  EXPECT_EQ(rest.status, 401);
  const auto web = client.Call(
      "POST", kQuote,
      {{"content-type", kType}, {"ridestream-caller", "rider/a"}, {"ridestream-caller", "rider/b"}},
      QuoteFrame());
  EXPECT_THAT(Frames(web.body), ElementsAre(StartsWith("trailers grpc-status: 16\r\n")));
}

TEST_F(GatewayTest, UsesSeparateConnectionsForEachClassOfCallers) {
  TestClient client(port());
  const auto connection = [&client](const Headers& more) {
    Headers headers = kProto;
    for (const auto& [name, value] : more) headers.Add(name, value);
    return std::string(client.Call("POST", kQuote, headers, QuoteFrame()).headers.Get("seen-peer"));
  };
  const std::set<std::string> all = {connection({}), connection({{"ridestream-caller", "rider/a"}}),
                                     connection({{"ridestream-caller", "driver/a"}}),
                                     connection({{"ridestream-caller", "service/a"}})};
  EXPECT_EQ(all.size(), 4U);
  EXPECT_EQ(connection({{"ridestream-caller", "rider/b"}}),
            connection({{"ridestream-caller", "rider/a"}}));
}

TEST_F(GatewayTest, ForwardsAndReturnsTheRequestId) {
  TestClient client(port());
  const auto answer =
      client.Call("POST", kQuote,
                  {{"content-type", "application/grpc-web+proto"}, {"X-Request-Id", "morning-1"}},
                  QuoteFrame());
  EXPECT_EQ(answer.headers.Get("seen-request-id"), "morning-1");
  EXPECT_EQ(answer.headers.Get("x-request-id"), "morning-1");
}

TEST_F(GatewayTest, ReplacesMissingAndUnsafeRequestIds) {
  TestClient client(port());
  std::set<std::string> ids;
  for (const Headers& more : {Headers{}, Headers{}, Headers{{"x-request-id", "a level=error"}}}) {
    Headers headers = kProto;
    for (const auto& [name, value] : more) headers.Add(name, value);
    const auto answer = client.Call("POST", kQuote, headers, QuoteFrame());
    const std::string id(answer.headers.Get("x-request-id"));
    EXPECT_THAT(id, MatchesRegex("x-[0-9a-f]{16}"));
    EXPECT_EQ(answer.headers.Get("seen-request-id"), id);
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 3U);
}

TEST_F(GatewayTest, LabelsRequestMetricsByRoute) {
  {
    TestClient client(port());
    client.Call("POST", kQuote, kProto, QuoteFrame());
    client.Call("POST", kQuote, {{"content-type", "text/plain"}}, QuoteFrame());
    client.Call("GET", "/v1/trips/t-1");
    client.Call("GET", "/v1/trips/x");
    client.Call("GET", "/healthz");
    client.Call("BREW", "/pot");
    client.Call("GET", "/nowhere.html");
    client.Send("hello there\r\n\r\n");
    client.ReadAnswer();
    TestClient driver(port());
    EXPECT_EQ(driver.OpenWebSocket(kDrive, "grpc-websockets"), 101);
  }
  const auto measured = Measured();
  const auto count = [&measured](const char* method, const char* route, const char* status) {
    return metrics::testing::Sum(measured, "gateway_http_requests_total",
                                 {{"method", method}, {"route", route}, {"status", status}});
  };
  EXPECT_EQ(count("POST", kQuote, "200"), 1);
  EXPECT_EQ(count("POST", kQuote, "415"), 1);
  EXPECT_EQ(count("GET", "/v1/trips/{trip_id}", "200"), 1);
  EXPECT_EQ(count("GET", "/v1/trips/{trip_id}", "404"), 1);
  EXPECT_EQ(count("GET", "/healthz", "200"), 1);
  EXPECT_EQ(count("other", "other", "404"), 1) << "nothing from outside becomes a label";
  EXPECT_EQ(count("GET", "other", "404"), 1);
  EXPECT_EQ(count("other", "other", "400"), 1) << "what is no request";
  EXPECT_EQ(count("GET", kDrive, "101"), 1);
  EXPECT_EQ(metrics::testing::Sum(measured, "gateway_http_requests_total"), 9);
}

TEST_F(GatewayTest, AnswersInBase64WhenTheRequestIsBase64) {
  TestClient client(port());
  const auto answer = client.Call("POST", kQuote, {{"content-type", "application/grpc-web-text"}},
                                  absl::Base64Escape(QuoteFrame()));
  EXPECT_EQ(answer.headers.Get("content-type"), "application/grpc-web-text");
  const auto frames = Frames(*DecodePieces(answer.body));
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(Parse<trip::v1::QuoteTripResponse>(frames[0]).quote_id(), "city");
}

TEST_F(GatewayTest, ReturnsTheErrorsOfServices) {
  TestClient client(port());
  trip::v1::GetTripRequest request;
  request.set_trip_id("x");
  const auto answer = client.Call("POST", kGet, kProto, DataFrame(request.SerializeAsString()));
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(Frames(answer.body),
              ElementsAre("trailers grpc-status: 5\r\ngrpc-message: trip_id: there is no trip 'x' "
                          "%C3%A0 la carte\r\n"));
}

TEST_F(GatewayTest, EndsACallAtItsDeadline) {
  TestClient client(port());
  const auto answer = client.Call(
      "POST", kList, {{"content-type", "application/grpc-web+proto"}, {"grpc-timeout", "50m"}},
      DataFrame(""));
  EXPECT_THAT(Frames(answer.body), ElementsAre(StartsWith("trailers grpc-status: 4\r\n")));
}

TEST_F(GatewayTest, ReportsAnUnavailableService) {
  Start("", {}, "127.0.0.1:1");
  TestClient client(port());
  const auto answer = client.Call("POST", kQuote, kProto, QuoteFrame());
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(Frames(answer.body), ElementsAre(StartsWith("trailers grpc-status: 14\r\n")));
}

TEST_F(GatewayTest, StreamsFrameByFrame) {
  TestClient client(port());
  client.SendRequest("POST", kWatch, kProto, WatchFrame("city"));
  EXPECT_EQ(client.ReadHead().headers.Get("transfer-encoding"), "chunked");
  for (int i = 0; i < 3; ++i) {
    const auto frames = Frames(client.ReadChunk());
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(Parse<location::v1::WatchAreaResponse>(frames[0]).gone_driver_ids_size(), 1);
  }
  EXPECT_THAT(Frames(client.ReadChunk()), ElementsAre("trailers grpc-status: 0\r\n"));
  EXPECT_EQ(client.ReadChunk(), "");
  EXPECT_FALSE(client.broken());
  EXPECT_EQ(client.Call("POST", kQuote, kProto, QuoteFrame()).status, 200) << "it goes on";
}

TEST_F(GatewayTest, EndsTheStreamOfABrowserThatGoesAway) {
  StartPatient();
  TestClient client(port());
  client.SendRequest("POST", kWatch, kProto, WatchFrame("flood"));
  ASSERT_EQ(client.ReadHead().status, 200);
  ASSERT_FALSE(client.ReadChunk().empty());
  GoAway(client, services_.watch_cancelled);
}

TEST_F(GatewayTest, EndsTheUnaryCallOfABrowserThatGoesAway) {
  StartPatient();
  TestClient client(port());
  client.SendRequest("POST", kList, {{"content-type", kType}, {"grpc-timeout", "1H"}},
                     DataFrame(""));
  ASSERT_TRUE(services_.list_began.Wait());
  GoAway(client, services_.list_cancelled);
}

TEST_F(GatewayTest, HoldsOneFrameOfASlowReaderNotItsBacklog) {
  TestClient client(port());
  client.SendRequest("POST", kWatch, kProto, WatchFrame("flood"));
  ASSERT_EQ(client.ReadHead().status, 200);
  // The buffers of the kernel and of gRPC hold some MB of frames of 64 KiB. A gateway that kept
  // reading would take thousands of frames a second.
  int before = -1;
  int after = services_.frames;
  TestClient probe(port());
  for (int still = 0; still < 200;) {
    ASSERT_EQ(probe.Call("POST", kQuote, kProto, QuoteFrame()).status, 200);
    before = std::exchange(after, services_.frames.load());
    still = before == after ? still + 1 : 0;
    ASSERT_LT(after, 1000);
  }
}

struct BadCall {
  std::string name;
  std::string method;
  std::string path;
  std::string type;
  std::string body;
  int http_status;
  std::string says;
};

class BadCallTest : public GatewayTest, public ::testing::WithParamInterface<BadCall> {};

TEST_P(BadCallTest, GetsTheReason) {
  const BadCall& bad = GetParam();
  TestClient client(port());
  const auto answer = client.Call(bad.method, bad.path, {{"content-type", bad.type}}, bad.body);
  EXPECT_EQ(answer.status, bad.http_status);
  EXPECT_THAT(answer.body, HasSubstr(bad.says));
  EXPECT_EQ(client.Call("POST", kQuote, kProto, QuoteFrame()).status, 200) << "nothing held";
}

INSTANTIATE_TEST_SUITE_P(
    All, BadCallTest,
    ::testing::Values(
        BadCall{"UnknownMethod", "POST", "/ridestream.trip.v1.TripService/Fly", kType, QuoteFrame(),
                404, "there is no method /ridestream.trip.v1.TripService/Fly"},
        BadCall{"UnknownRoute", "GET", "/nowhere.html", "", "", 404, "there is no /nowhere.html"},
        BadCall{"WrongHttpMethod", "PUT", kQuote, kType, QuoteFrame(), 405, "not PUT"},
        BadCall{"WrongContentType", "POST", kQuote, "text/plain", QuoteFrame(), 415, "text/plain"},
        BadCall{"NoContentType", "POST", kQuote, "", QuoteFrame(), 415, "content-type"},
        BadCall{"TruncatedFrame", "POST", kQuote, kType, QuoteFrame().substr(0, 7), 200,
                "grpc-status: 3\r\ngrpc-message: frame: announces 8 bytes, but 2 follow"},
        BadCall{"FalseLength", "POST", kQuote, kType, std::string("\0\x7f\xff\xff\xff", 5) + "abc",
                200, "grpc-message: frame: announces 2147483647 bytes, but 3 follow"},
        BadCall{"NoFrame", "POST", kQuote, kType, "", 200, "grpc-message: frame: "},
        BadCall{"TwoMessages", "POST", kQuote, kType, QuoteFrame() + QuoteFrame(), 200,
                "takes one message"},
        BadCall{"NoBase64", "POST", kQuote, "application/grpc-web-text", "!", 200, "Z3JwYy1"},
        BadCall{"ClientStream", "POST", kDrive, kType, DataFrame(""), 200, "over a WebSocket"}),
    [](const auto& test) { return test.param.name; });

TEST_F(GatewayTest, RefusesInvalidMetadataAndTimeouts) {
  TestClient client(port());
  EXPECT_THAT(
      client.Call("POST", kQuote, {{"content-type", kType}, {"tracestate", "\xff"}}, QuoteFrame())
          .body,
      HasSubstr("grpc-status: 3\r\ngrpc-message: header 'tracestate'"));
  EXPECT_THAT(
      client.Call("POST", kQuote, {{"content-type", kType}, {"grpc-timeout", "soon"}}, QuoteFrame())
          .body,
      HasSubstr("grpc-status: 3\r\ngrpc-message: grpc-timeout"));
}

TEST_F(GatewayTest, RefusesPagesOfOtherHostsUnlessTheyAreAllowed) {
  const Headers from = {{"content-type", kType}, {"origin", "http://page.example"}};
  {
    TestClient client(port());
    const auto refused = client.Call("POST", kQuote, from, QuoteFrame());
    EXPECT_EQ(refused.status, 403);
    EXPECT_THAT(refused.body, HasSubstr("origin http://page.example isn't allowed"));
    for (const auto& [method, path] : {std::pair<const char*, const char*>("OPTIONS", kQuote),
                                       {"GET", "/v1/trips/t-1"},
                                       {"GET", "/v1/trips:follow"},
                                       {"GET", "/openapi.json"}}) {
      const auto answer = client.Call(method, path, {{"origin", "http://page.example"}});
      EXPECT_EQ(answer.status, 403) << path;
      EXPECT_THAT(answer.body, HasSubstr("origin http://page.example isn't allowed")) << path;
      EXPECT_FALSE(answer.headers.Has("access-control-allow-origin")) << path;
    }
    EXPECT_EQ(client.OpenWebSocket(kDrive, "grpc-websockets", {{"origin", "http://page.example"}}),
              403);
  }
  Start("http://page.example");
  TestClient client(port());
  const auto preflight = client.Call("OPTIONS", kQuote,
                                     {{"origin", "http://page.example"},
                                      {"access-control-request-method", "POST"},
                                      {"access-control-request-headers", "x-grpc-web"}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.headers.Get("access-control-allow-headers"), "x-grpc-web");
  const auto allowed = client.Call("POST", kQuote, from, QuoteFrame());
  EXPECT_EQ(allowed.status, 200);
  EXPECT_EQ(allowed.headers.Get("access-control-allow-origin"), "http://page.example");
}

TEST_F(GatewayTest, AnswersUnderItsOwnNamesOnly) {
  for (const char* target : {"/v1/trips/t-1", "/openapi.json", "/", kQuote}) {
    TestClient client(port());
    client.Send(std::string("GET ") + target + " HTTP/1.1\r\nhost: evil.example\r\n\r\n");
    EXPECT_EQ(client.ReadAnswer().status, 421) << target;
    client.Send("GET http://evil.example/v1/trips/t-1 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    EXPECT_EQ(client.ReadAnswer().status, 421);
    client.Send("GET /v1/trips/t-1 HTTP/1.1\r\nhost: 127.0.0.1:7000\r\n\r\n");
    EXPECT_EQ(client.ReadAnswer().status, 200);
    client.Send("GET /healthz HTTP/1.1\r\nhost: 10.1.2.3\r\n\r\n");
    EXPECT_EQ(client.ReadAnswer().status, 200) << "for an orchestrator's probe";
  }
}

TEST_F(GatewayTest, RefusesToBeEmbeddedByPagesOfOtherSites) {
  TestClient client(port());
  EXPECT_EQ(client
                .Call("GET", "/v1/trips/t-1",
                      {{"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", "no-cors"}})
                .status,
            403);
  EXPECT_EQ(client
                .Call("GET", "/v1/trips/t-1",
                      {{"sec-fetch-site", "same-origin"}, {"sec-fetch-mode", "no-cors"}})
                .status,
            200);
  EXPECT_EQ(client
                .Call("GET", "/v1/trips/t-1",
                      {{"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", "navigate"}})
                .status,
            200);
}

TEST_F(GatewayTest, SetsSecurityHeaders) {
  TestClient client(port());
  for (const char* target : {"/v1/trips/t-1", "/v1/trips/x", "/openapi.json", "/", "/healthz"}) {
    const auto answer = client.Call("GET", target);
    EXPECT_EQ(answer.headers.Get("x-content-type-options"), "nosniff") << target;
    EXPECT_EQ(answer.headers.Get("referrer-policy"), "no-referrer") << target;
    EXPECT_EQ(answer.headers.Get("x-frame-options"), "DENY") << target;
    EXPECT_EQ(answer.headers.Get("cross-origin-opener-policy"), "same-origin") << target;
    EXPECT_EQ(answer.headers.Get("cross-origin-resource-policy"), "same-origin") << target;
    EXPECT_FALSE(answer.headers.Has("strict-transport-security")) << "plain HTTP";
  }
}

TEST_F(GatewayTest, AnswersHeadAsGetWithoutTheBody) {
  TestClient client(port());
  for (const char* target : {"/v1/trips/t-1", "/v1/trips/x", "/openapi.json", "/healthz"}) {
    const auto get = client.Call("GET", target);
    const auto head = client.Call("HEAD", target);
    EXPECT_EQ(head.status, get.status) << target;
    EXPECT_EQ(head.headers.Get("content-length"), get.headers.Get("content-length")) << target;
    EXPECT_EQ(head.headers.Get("content-type"), get.headers.Get("content-type")) << target;
  }
  client.SendRequest("HEAD", "/v1/trips:follow");
  const auto events = client.ReadHead();
  EXPECT_EQ(events.status, 200);
  EXPECT_EQ(events.headers.Get("content-type"), "text/event-stream");
  EXPECT_EQ(client.Call("GET", "/v1/trips/t-1").status, 200);
}

TEST_F(GatewayTest, IsHealthyUntilItDrains) {
  TestClient client(port());
  EXPECT_EQ(client.Call("GET", "/healthz").status, 200);
  gateway_->StartDrain();
  EXPECT_EQ(client.Call("GET", "/healthz").status, 503);
}

TEST_F(GatewayTest, EndsStreamsOnADrain) {
  TestClient web(port());
  web.SendRequest("POST", kWatch, kProto, WatchFrame("flood"));
  ASSERT_EQ(web.ReadHead().status, 200);
  TestClient socket(port());
  ASSERT_EQ(socket.OpenWebSocket(kDrive, "grpc-websockets"), 101);
  socket.SendBinary("");
  dispatch::v1::DriveRequest position;
  position.mutable_position()->set_sequence(1);
  socket.SendBinary(std::string(1, '\0') + DataFrame(position.SerializeAsString()));
  socket.ReadFrame();  // Headers.
  socket.ReadFrame();  // The response.

  std::thread drain([this] { server_->Drain(20s); });
  std::string last;
  for (std::string chunk = web.ReadChunk(); !chunk.empty(); chunk = web.ReadChunk()) last = chunk;
  EXPECT_THAT(Frames(last), ElementsAre(HasSubstr("grpc-status: 14\r\n")));
  EXPECT_THAT(socket.ReadFrame().payload, HasSubstr("grpc-status: 14\r\n"));
  EXPECT_EQ(socket.ReadFrame().opcode, 8);
  socket.Close();
  web.Close();
  drain.join();
}

/// A driver in a browser.
class GatewaySocketTest : public GatewayTest {
 protected:
  GatewaySocketTest() : client_(port()) {}
  void Open(const std::string& metadata = "ridestream-caller: driver/d-1\r\n") {
    ASSERT_EQ(client_.OpenWebSocket(kDrive, "grpc-websockets"), 101);
    client_.SendBinary(metadata);
  }
  void SendPosition(std::uint64_t sequence) {
    dispatch::v1::DriveRequest request;
    request.mutable_position()->set_sequence(sequence);
    client_.SendBinary(std::string(1, '\0') + DataFrame(request.SerializeAsString()));
  }
  std::string Read() {
    const auto frames = Frames(client_.ReadFrame().payload);
    return frames.size() == 1 ? frames[0] : "none";
  }

  TestClient client_;
};

TEST_F(GatewaySocketTest, CarriesMessagesBothWaysUntilTheHalfClose) {
  Open("ridestream-caller: driver/d-1\r\nX-Request-Id: d-1-evening\r\n");
  SendPosition(1);
  EXPECT_THAT(Read(), HasSubstr("x-request-id: d-1-evening\r\n")) << "the headers come first";
  EXPECT_EQ(Parse<dispatch::v1::DriveResponse>(Read()).sequence(), 1U);
  SendPosition(2);
  SendPosition(3);
  EXPECT_EQ(Parse<dispatch::v1::DriveResponse>(Read()).sequence(), 2U);
  EXPECT_EQ(Parse<dispatch::v1::DriveResponse>(Read()).sequence(), 3U);
  client_.SendBinary("\1");
  EXPECT_EQ(Read(), "trailers grpc-status: 0\r\n");
  const auto close = client_.ReadFrame();
  EXPECT_EQ(close.opcode, 8);
  EXPECT_EQ(close.payload, "\x03\xe8") << "1000";
}

TEST_F(GatewaySocketTest, CarriesServerStreamsAsWell) {
  ASSERT_EQ(client_.OpenWebSocket(kWatch, "grpc-websockets"), 101);
  client_.SendBinary("");
  client_.SendBinary(std::string(1, '\0') + WatchFrame("city"));
  client_.SendBinary("\1");
  EXPECT_THAT(Read(), StartsWith("trailers ")) << "the headers come first";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Parse<location::v1::WatchAreaResponse>(Read()).gone_driver_ids_size(), 1);
  }
  EXPECT_EQ(Read(), "trailers grpc-status: 0\r\n");
}

TEST_F(GatewaySocketTest, EndsTheCallOfABrowserThatGoesAway) {
  StartPatient();
  TestClient client(port());
  ASSERT_EQ(client.OpenWebSocket(kWatch, "grpc-websockets"), 101);
  client.SendBinary("");
  client.SendBinary(std::string(1, '\0') + WatchFrame("silent"));
  ASSERT_TRUE(services_.watch_began.Wait());
  GoAway(client, services_.watch_cancelled);
}

TEST_F(GatewaySocketTest, EndsInvalidFramesWithAStatus) {
  Open();
  client_.SendBinary(std::string("\0\0\0\0\5hel", 8));
  EXPECT_THAT(Read(), StartsWith("trailers x-request-id: "));
  EXPECT_THAT(Read(), HasSubstr("grpc-status: 3\r\ngrpc-message: frame: "));
  EXPECT_EQ(client_.ReadFrame().opcode, 8);
}

TEST_F(GatewaySocketTest, EndsWithAStatusWhenAFramesLengthIsWrong) {
  Open();
  client_.SendBinary(std::string("\0\0\x7f\xff\xff\xff", 6) + "abc");
  EXPECT_THAT(Read(), StartsWith("trailers x-request-id: "));
  EXPECT_THAT(Read(), HasSubstr("grpc-status: 3\r\ngrpc-message: frame: announces 2147483647 "
                                "bytes, but 3 follow"));
  EXPECT_EQ(client_.ReadFrame().opcode, 8);
}

TEST_F(GatewaySocketTest, EndsInvalidMetadataWithAStatus) {
  Open("this is none");
  EXPECT_EQ(Read(), "trailers ");
  EXPECT_THAT(Read(), HasSubstr("grpc-status: 3\r\ngrpc-message: metadata: "));
}

TEST_F(GatewaySocketTest, RefusesText) {
  Open();
  client_.SendFrame(1, "text");
  EXPECT_THAT(Read(), StartsWith("trailers x-request-id: "));
  EXPECT_THAT(Read(), HasSubstr("grpc-status: 3\r\ngrpc-message: frame: is text"));
}

TEST_F(GatewaySocketTest, SpeaksOneProtocolOnly) {
  EXPECT_EQ(client_.OpenWebSocket(kDrive, "chat"), 400);
}

}  // namespace
}  // namespace ridestream::gateway
