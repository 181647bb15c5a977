// REST against fake services: requests, responses, errors and events.

#include "services/gateway/rest/rest.h"

#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "services/gateway/testing/gateway_under_test.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

const Headers kJson = {{"content-type", "application/json"}};

class RestTest : public GatewayTest {
 protected:
  TestClient::Answer Call(const std::string& method, const std::string& target,
                          const Headers& headers = {}, const std::string& body = {}) {
    TestClient client(port());
    return client.Call(method, target, headers, body);
  }
};

TEST_F(RestTest, AnswersWithTheMessageAsJson) {
  const auto answer = Call("GET", "/v1/trips/t-1");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.Get("content-type"), "application/json");
  const json trip = json::parse(answer.body)["trip"];
  EXPECT_EQ(trip["tripId"], "t-1");
  EXPECT_EQ(trip["state"], "TRIP_STATE_ABOARD");
  EXPECT_EQ(trip["version"], "7") << "64 bits are text in protobuf's JSON";
  EXPECT_EQ(trip["releasedDriverIds"], json::array()) << "there though empty";
}

TEST_F(RestTest, TakesFieldsFromPathAndBodyAndPassesMetadataOn) {
  const auto answer = Call("POST", "/v1/markets/porto/quotes",
                           {{"content-type", "Application/JSON ; charset=utf-8"},
                            {"ridestream-caller", "rider/r-1"},
                            {"x-request-id", "morning-1"},
                            {"grpc-timeout", "2S"}},
                           R"({"partySize": 3, "pickup": {"latE7": 5, "lng_e7": "-7"}})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.headers.Get("seen-caller"), "rider/r-1");
  EXPECT_EQ(answer.headers.Get("seen-request-id"), "morning-1");
  EXPECT_EQ(answer.headers.Get("x-request-id"), "morning-1");
  // gRPC rounds the timeout up on the wire.
  EXPECT_LE(std::stoi(std::string(answer.headers.Get("seen-timeout-ms"))), 2100);
  const json quote = json::parse(answer.body);
  EXPECT_EQ(quote["quoteId"], "porto");
  EXPECT_EQ(quote["fare"]["lengthM"], 3);
}

TEST_F(RestTest, TakesFieldsFromTheQueryAndOneElementOfAList) {
  const auto answer = Call("GET",
                           "/v1/markets/city/drivers:nearest?queries.center.latE7=450100000"
                           "&queries.center.lng_e7=-300300000&queries.limit=5"
                           "&queries.states=DRIVER_STATE_IDLE&queries.states=2");
  EXPECT_EQ(answer.status, 200) << answer.body;
  const auto request = services_.last_find_nearest();
  EXPECT_EQ(request.market(), "city");
  ASSERT_EQ(request.queries_size(), 1);
  EXPECT_EQ(request.queries(0).center().lat_e7(), 450100000);
  EXPECT_EQ(request.queries(0).center().lng_e7(), -300300000);
  EXPECT_EQ(request.queries(0).limit(), 5U);
  EXPECT_EQ(request.queries(0).states_size(), 2);
}

TEST_F(RestTest, HasFurtherRoutesToAMethod) {
  const auto answer = Call("POST", "/v1/markets/city/drivers:nearest", kJson,
                           R"({"queries": [{"limit": 1}, {"limit": 2}]})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(services_.last_find_nearest().queries_size(), 2);
}

TEST_F(RestTest, ReturnsErrorsAsProblemsWithTheirCodeAndPause) {
  const auto missing = Call("GET", "/v1/trips/x");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.headers.Get("content-type"), "application/problem+json");
  const json problem = json::parse(missing.body);
  EXPECT_EQ(problem["code"], "NOT_FOUND");
  EXPECT_EQ(problem["status"], 404);
  EXPECT_EQ(problem["detail"], "trip_id: there is no trip 'x' à la carte");

  const auto busy = Call("POST", "/v1/trips", kJson, "{}");
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(busy.headers.Get("retry-after"), "2") << "1500 ms";
}

TEST_F(RestTest, RefusesAFieldThatIsGivenTwice) {
  for (const char* body :
       {R"({"partySize":2,"party_size":7})", R"({"partySize":2,"partySize":2})",
        R"({"pickup":{"latE7":1,"lat_e7":2}})", R"({"pickup":{"latE7":1},"pickup":{"lngE7":2}})",
        R"({"partySize":2,"party\u0053ize":2,"party\u005fsize":2})"}) {
    const auto answer = Call("POST", "/v1/markets/porto/quotes", kJson, body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.body, HasSubstr("is given twice")) << body;
  }
  EXPECT_EQ(Call("POST", "/v1/markets/porto/quotes", kJson, R"({"market":"lisbon"})").status, 400);
  EXPECT_EQ(Call("POST", "/v1/markets/porto/quotes?market=porto", kJson, "{}").status, 400);
  EXPECT_EQ(
      Call("POST", "/v1/trips", {{"content-type", "application/json"}, {"idempotency-key", "k"}},
           R"({"requestId":"k","request_id":"other"})")
          .status,
      400);
  for (const char* query : {"queries.limit=1&queries.limit=1",
                            "queries.center.latE7=1&queries.center.lat_e7=1", "market=other"}) {
    EXPECT_EQ(Call("GET", std::string("/v1/markets/city/drivers:nearest?") + query).status, 400)
        << query;
  }
  const auto lists = Call("POST", "/v1/markets/city/drivers:nearest", kJson,
                          R"({"queries": [{"limit": 1}, {"limit": 1}]})");
  EXPECT_EQ(lists.status, 200) << "each element names its own fields: " << lists.body;
}

TEST_F(RestTest, RefusesAnIdThatAServiceWouldRepeatBeyondMetadatasBound) {
  StartPatient();
  TestClient watcher(port());
  watcher.SendRequest("GET", "/v1/markets/silent/drivers:watch");
  ASSERT_TRUE(services_.watch_began.Wait());
  for (const std::string& target :
       {"/v1/trips/" + std::string(9000, 'a'),
        "/v1/markets/city/drivers:nearest?queries.driverIds=" + std::string(9000, 'a'),
        "/v1/trips:follow?markets=" + std::string(9000, 'a')}) {
    EXPECT_EQ(Call("GET", target).status, 400) << target.substr(0, 40);
  }
  EXPECT_EQ(
      Call("POST", "/v1/trips",
           {{"content-type", "application/json"}, {"idempotency-key", std::string(9000, 'k')}},
           "{}")
          .status,
      400);
  EXPECT_FALSE(services_.watch_cancelled.Wait(0ms)) << "another client's stream was cut";
  GoAway(watcher, services_.watch_cancelled);
}

TEST_F(RestTest, CutsAnErrorsTextThatEchoesTheRequest) {
  for (const std::string& body :
       {R"({"partySize":)" + std::string(100'000, '9') + "}",
        R"({")" + std::string(70'000, 'f') + R"(":1})", std::string(100'000, '[')}) {
    const auto answer = Call("POST", "/v1/markets/porto/quotes", kJson, body);
    EXPECT_EQ(answer.status, 400);
    EXPECT_LE(answer.headers.Get("grpc-message").size(), 3 * 1024U);
    EXPECT_LT(answer.body.size(), 2000U);
  }
  EXPECT_EQ(Call("GET", "/v1/trips/t-1").status, 200);
}

TEST_F(RestTest, TakesTheIdempotencyKeyAsTheRequestsId) {
  Call("POST", "/v1/trips", {{"content-type", "application/json"}, {"idempotency-key", "k-1"}},
       R"({"quoteId": "q"})");
  EXPECT_EQ(services_.last_request_trip().request_id(), "k-1");
  EXPECT_EQ(services_.last_request_trip().quote_id(), "q");
  const auto differs =
      Call("POST", "/v1/trips", {{"content-type", "application/json"}, {"idempotency-key", "k-2"}},
           R"({"request_id": "other"})");
  EXPECT_EQ(differs.status, 400);
  EXPECT_THAT(differs.body, HasSubstr("request_id: is 'k-2' in the Idempotency-Key"));
  EXPECT_EQ(Call("GET", "/v1/trips/t-1", {{"idempotency-key", "k"}}).status, 400);
}

TEST_F(RestTest, EndsTheCallOfAClientThatGoesAway) {
  StartPatient();
  TestClient client(port());
  client.SendRequest("GET", "/v1/trips", {{"grpc-timeout", "1H"}});
  ASSERT_TRUE(services_.list_began.Wait());
  GoAway(client, services_.list_cancelled);
}

struct BadRest {
  std::string name;
  std::string method;
  std::string target;
  std::string type;
  std::string body;
  int status;
  std::string says;
};

class BadRestTest : public RestTest, public ::testing::WithParamInterface<BadRest> {};

TEST_P(BadRestTest, GetsTheReason) {
  const BadRest& bad = GetParam();
  const auto answer = Call(bad.method, bad.target, {{"content-type", bad.type}}, bad.body);
  EXPECT_EQ(answer.status, bad.status) << answer.body;
  EXPECT_EQ(answer.headers.Get("content-type"), "application/problem+json");
  EXPECT_THAT(answer.body, HasSubstr(bad.says));
}

constexpr char kJsonType[] = "application/json";
constexpr char kQuotes[] = "/v1/markets/city/quotes";

INSTANTIATE_TEST_SUITE_P(
    All, BadRestTest,
    ::testing::Values(
        BadRest{"UnknownRoute", "GET", "/v1/taxis", "", "", 404, "there is no /v1/taxis"},
        BadRest{"WrongMethod", "DELETE", "/v1/trips/t-1", "", "", 405,
                "takes GET, HEAD, not DELETE"},
        BadRest{"WrongContentType", "POST", kQuotes, "text/xml", "<a/>", 415, "text/xml"},
        BadRest{"NoJson", "POST", kQuotes, kJsonType, "{\"partySize\": ", 400, "is not JSON"},
        BadRest{"NoObject", "POST", kQuotes, kJsonType, "[1]", 400, "must be a JSON object"},
        BadRest{"UnknownField", "POST", kQuotes, kJsonType, R"({"partysize": 1})", 400,
                "partysize"},
        BadRest{"UnknownNestedField", "POST", kQuotes, kJsonType, R"({"pickup": {"lat": 1}})", 400,
                "lat"},
        BadRest{"NumberOutOfRange", "POST", kQuotes, kJsonType, R"({"partySize": 4294967296})", 400,
                "party"},
        BadRest{"NegativeNumber", "POST", kQuotes, kJsonType, R"({"partySize": -1})", 400, "party"},
        BadRest{"TextForANumber", "POST", kQuotes, kJsonType, R"({"partySize": "two"})", 400,
                "party"},
        BadRest{"TooDeep", "POST", kQuotes, kJsonType, "{\"a\":" + std::string(100'000, '['), 400,
                "body: "},
        BadRest{"PathAndBodyDiffer", "POST", kQuotes, kJsonType, R"({"market": "porto"})", 400,
                "market: is 'city' in the path"},
        BadRest{"BodyWhereNoneIs", "GET", "/v1/trips", kJsonType, "{}", 400, "takes none"},
        BadRest{"UnknownParameter", "GET", "/v1/trips?pagesize=1", "", "", 400, "pagesize"},
        BadRest{"ParameterOutOfRange", "GET", "/v1/trips?pageSize=-1", "", "", 400, "page"},
        BadRest{"ParameterTwice", "GET", "/v1/trips?pageSize=1&pageSize=2", "", "", 400, "twice"},
        BadRest{"ParameterIsAMessage", "GET", "/v1/markets/c/drivers:nearest?queries=1", "", "",
                400, "is a message"},
        BadRest{"ParameterIsNoUtf8", "GET", "/v1/trips?market=%ff", "", "", 400, "UTF-8"},
        BadRest{"QueryBesideABody", "POST", "/v1/trips?quoteId=1", kJsonType, "{}", 400, "query"}),
    [](const auto& test) { return test.param.name; });

class EventsTest : public RestTest {
 protected:
  /// Reads a whole stream that ends by itself.
  std::string Events(const std::string& target, const std::string& last_event_id = "") {
    Headers headers;
    if (!last_event_id.empty()) headers.Add("last-event-id", last_event_id);
    const auto answer = Call("GET", target, headers);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.headers.Get("content-type"), "text/event-stream");
    EXPECT_TRUE(answer.whole);
    return answer.body;
  }
  /// The ids of the events, in order.
  static std::vector<std::string> Ids(const std::string& events) {
    std::vector<std::string> ids;
    for (std::size_t at = events.find("id: "); at != std::string::npos;
         at = events.find("id: ", at + 1)) {
      ids.push_back(events.substr(at + 4, events.find('\n', at) - at - 4));
    }
    return ids;
  }
};

constexpr char kFollow[] = "/v1/trips:follow?markets=city&oldestOpen=true";

TEST_F(EventsTest, CarryAStreamFromOpenToEnd) {
  const std::string events = Events(kFollow);
  EXPECT_TRUE(events.starts_with("event: open\ndata: {\"resumed\":false}\n\nid: ")) << events;
  EXPECT_TRUE(events.ends_with("\n\nevent: end\ndata: {}\n\n")) << events;
  EXPECT_EQ(Ids(events).size(), 5U);
}

TEST_F(EventsTest, ResumeAfterTheLastEventIdOfTheReader) {
  const auto ids = Ids(Events(kFollow));
  ASSERT_EQ(ids.size(), 5U);
  const std::string rest = Events(kFollow, ids[2]);
  EXPECT_TRUE(rest.starts_with("event: open\ndata: {\"resumed\":true}\n\n")) << rest;
  EXPECT_THAT(Ids(rest), ::testing::ElementsAre(ids[3], ids[4]));
}

TEST_F(EventsTest, RejectEventIdsFromAnotherStream) {
  const auto ids = Ids(Events(kFollow));
  ASSERT_EQ(ids.size(), 5U);
  const std::string stream = ids[2].substr(0, ids[2].find('-'));
  const auto refused = [this](const char* target, const std::string& id) {
    const auto answer = Call("GET", target, {{"last-event-id", id}});
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_EQ(answer.headers.Get("content-type"), "application/problem+json");
    return answer.body;
  };
  for (const char* other :
       {"/v1/trips:follow?markets=porto&oldestOpen=true", "/v1/markets/city/drivers:watch"}) {
    EXPECT_THAT(refused(other, ids[2]),
                HasSubstr("'" + ids[2] + "' doesn't identify an event of this"));
  }
  for (const std::string& id : {std::string("nonsense"), stream, stream + "-", stream + "-x"}) {
    EXPECT_THAT(refused(kFollow, id),
                HasSubstr("Last-Event-ID: '" + id + "' doesn't identify an event"));
  }
}

TEST_F(EventsTest, HaveNoIdsInStreamsThatCantResume) {
  const std::string events = Events("/v1/markets/city/drivers:watch?southWest.latE7=1");
  EXPECT_TRUE(Ids(events).empty());
  EXPECT_THAT(events, HasSubstr("data: {\"snapshot\":false"));
}

TEST_F(EventsTest, EndWithAProblemDocumentOnADrain) {
  TestClient client(port());
  client.SendRequest("GET", "/v1/markets/flood/drivers:watch");
  ASSERT_EQ(client.ReadHead().status, 200);
  EXPECT_THAT(client.ReadChunk(), HasSubstr("event: open"));
  std::thread drain([this] { server_->Drain(20s); });
  std::string last;
  for (std::string chunk = client.ReadChunk(); !chunk.empty(); chunk = client.ReadChunk()) {
    last = chunk;
  }
  EXPECT_THAT(last, HasSubstr("event: problem\ndata: {"));
  EXPECT_THAT(last, HasSubstr("\"code\": \"UNAVAILABLE\""));
  client.Close();
  drain.join();
}

TEST_F(EventsTest, EndTheCallWhenTheReaderDisconnects) {
  StartPatient();
  TestClient client(port());
  client.SendRequest("GET", "/v1/markets/flood/drivers:watch");
  ASSERT_EQ(client.ReadHead().status, 200);
  GoAway(client, services_.watch_cancelled);
}

TEST_F(RestTest, IsDescribedByADocument) {
  const auto answer = Call("GET", "/openapi.json");
  EXPECT_EQ(answer.status, 200);
  const json document = json::parse(answer.body);
  EXPECT_EQ(document["openapi"], "3.1.0");
  const json& cancel = document["paths"]["/v1/trips/{tripId}:cancel"]["post"];
  EXPECT_THAT(cancel["description"].get<std::string>(),
              HasSubstr("Ends a trip before its drop-off"));
  EXPECT_FALSE(
      cancel["requestBody"]["content"]["application/json"]["schema"]["properties"].contains(
          "tripId"));
  const json& trip = document["components"]["schemas"]["ridestream.trip.v1.Trip"]["properties"];
  EXPECT_EQ(trip["version"]["format"], "uint64");
  EXPECT_EQ(trip["requestedAt"]["format"], "date-time");
}

}  // namespace
}  // namespace ridestream::gateway
