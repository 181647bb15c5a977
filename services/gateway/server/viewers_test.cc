// Viewers of the live map see pseudonyms and no names, over every protocol.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/location/v1/location.pb.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/gateway/grpc_web/frame.h"
#include "services/gateway/testing/gateway_under_test.h"
#include "services/gateway/testing/signed_in.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kDriver[] = "jane-doe";
constexpr char kDescribe[] = "/ridestream.dispatch.v1.DispatchService/GetDriver";
constexpr char kWatchArea[] = "/ridestream.location.v1.LocationService/WatchArea";
constexpr char kFollowTrips[] = "/ridestream.trip.v1.TripService/FollowTrips";
constexpr char kDriveMethod[] = "/ridestream.dispatch.v1.DispatchService/Drive";

class ViewersTest : public GatewayTest {
 protected:
  ViewersTest() {
    credentials_ = Credentials(anonymizer_, *site_.verifier, site_.sessions.get());
    Start("");
  }
  ~ViewersTest() override { server_.reset(); }

  Headers As(identity::Role role, const std::string& id) {
    return {{"authorization", "Bearer " + site_.Mint({role, id})}};
  }
  Headers AsViewer() { return As(identity::Role::kViewer, "map"); }

  std::string Pseudonym() const { return anonymizer_.pseudonyms().Hide(kDriver); }

  static std::string DescribeMessage(const std::string& driver) {
    dispatch::v1::GetDriverRequest request;
    request.set_driver_id(driver);
    return request.SerializeAsString();
  }

  std::string CallWeb(const std::string& method, const std::string& message, Headers headers) {
    headers.Add("content-type", "application/grpc-web+proto");
    TestClient client(port());
    return client.Call("POST", method, headers, DataFrame(message)).body;
  }
  std::string CallRest(const std::string& target, const Headers& headers) {
    TestClient client(port());
    return client.Call("GET", target, headers).body;
  }
  std::string CallSocket(const std::string& method, const std::string& message,
                         const Headers& headers, const Headers& handshake = {}) {
    std::string metadata;
    for (const auto& [name, value] : headers) metadata += name + ": " + value + "\r\n";
    TestClient socket(port());
    EXPECT_EQ(socket.OpenWebSocket(method, "grpc-websockets", handshake), 101);
    socket.SendBinary(metadata);
    socket.SendBinary(std::string(1, '\0') + DataFrame(message));
    socket.SendBinary("\1");
    std::string frames;
    for (auto frame = socket.ReadFrame(); frame.opcode == 2; frame = socket.ReadFrame()) {
      frames += frame.payload;
    }
    return frames;
  }

  /// The responses to every call that viewers may make, by protocol and method.
  std::map<std::string, std::string> CallEveryMethod(const Headers& headers,
                                                     const std::string& driver) {
    location::v1::WatchAreaRequest area;
    area.set_market("named");
    trip::v1::FollowTripsRequest follow;
    follow.add_markets("named");
    const std::map<std::string, std::string> requests = {
        {kDescribe, DescribeMessage(driver)},
        {kWatchArea, area.SerializeAsString()},
        {kFollowTrips, follow.SerializeAsString()},
    };
    std::map<std::string, std::string> answers;
    for (const auto& [method, message] : requests) {
      answers["web " + method] = CallWeb(method, message, headers);
      answers["socket " + method] = CallSocket(method, message, headers);
    }
    for (const std::string& target :
         {"/v1/drivers/" + driver, std::string("/v1/markets/named/drivers:watch"),
          std::string("/v1/trips:follow?markets=named&afterSequence=0")}) {
      answers["rest " + target] = CallRest(target, headers);
    }
    return answers;
  }

  SignedIn site_;
};

TEST_F(ViewersTest, ViewerGetsPseudonymsAndNoNamesByEveryProtocol) {
  for (const auto& [how, answer] : CallEveryMethod(AsViewer(), Pseudonym())) {
    for (const char* secret : {kDriver, "Jane", "RS 1", "ada-lovelace", "Ada L.", "blue coat"}) {
      EXPECT_THAT(answer, Not(HasSubstr(secret))) << how;
    }
    const bool describes =
        how.find("GetDriver") != how.npos || how.find("/v1/drivers/") != how.npos;
    EXPECT_THAT(answer, HasSubstr(describes ? "Prius" : Pseudonym())) << how;
  }
}

TEST_F(ViewersTest, OperatorGetsNames) {
  for (const auto& [how, answer] :
       CallEveryMethod(As(identity::Role::kOperator, "olga"), kDriver)) {
    EXPECT_THAT(answer, ::testing::AnyOf(HasSubstr(kDriver), HasSubstr("Jane"))) << how;
    EXPECT_THAT(answer, Not(HasSubstr(Pseudonym()))) << how;
  }
}

TEST_F(ViewersTest, DriverHasOnePseudonymThroughoutAStream) {
  trip::v1::FollowTripsRequest request;
  request.add_markets("named");
  for (const std::string& answer :
       {CallWeb(kFollowTrips, request.SerializeAsString(), AsViewer()),
        CallSocket(kFollowTrips, request.SerializeAsString(), AsViewer()),
        CallRest("/v1/trips:follow?markets=named&afterSequence=0", AsViewer())}) {
    int events = 0;
    for (std::size_t at = answer.find(Pseudonym()); at != answer.npos;
         at = answer.find(Pseudonym(), at + 1)) {
      ++events;
    }
    EXPECT_EQ(events, 5);
  }
}

TEST_F(ViewersTest, ViewerGetsNoNamesFromAnInsecureGateway) {
  credentials_ = Credentials(anonymizer_);
  Start("");
  const Headers headers = {{"ridestream-caller", "viewer/map"}};
  for (const auto& [how, answer] : CallEveryMethod(headers, Pseudonym())) {
    EXPECT_THAT(answer, Not(HasSubstr(kDriver))) << how;
    EXPECT_THAT(answer, Not(HasSubstr("Ada L."))) << how;
  }
}

TEST_F(ViewersTest, ViewerCannotAskForARealId) {
  for (const std::string& answer : {CallWeb(kDescribe, DescribeMessage(kDriver), AsViewer()),
                                    CallSocket(kDescribe, DescribeMessage(kDriver), AsViewer())}) {
    EXPECT_THAT(answer, HasSubstr("grpc-status: 5"));
    EXPECT_THAT(answer, Not(HasSubstr("Prius")));
  }
  EXPECT_THAT(CallRest("/v1/drivers/jane-doe", AsViewer()),
              HasSubstr("viewers know no driver by this id"));
}

TEST_F(ViewersTest, ErrorRepeatsNoRealId) {
  const std::string gone = anonymizer_.pseudonyms().Hide("john-doe");
  for (const std::string& answer : {CallWeb(kDescribe, DescribeMessage(gone), AsViewer()),
                                    CallSocket(kDescribe, DescribeMessage(gone), AsViewer()),
                                    CallRest("/v1/drivers/" + gone, AsViewer())}) {
    EXPECT_THAT(answer, Not(HasSubstr("john-doe")));
    EXPECT_THAT(answer, ::testing::AnyOf(HasSubstr("grpc-status: 5"), HasSubstr("NOT_FOUND")));
  }
}

TEST_F(ViewersTest, RefusesAMalformedMessage) {
  EXPECT_THAT(CallWeb(kDescribe, "\xff", AsViewer()), HasSubstr("grpc-status: 3"));
}

TEST_F(ViewersTest, DriverLearnsItsOwnPseudonym) {
  EXPECT_THAT(CallSocket(kDriveMethod, "", As(identity::Role::kDriver, kDriver)),
              HasSubstr("ridestream-pseudonym: " + Pseudonym()));
  EXPECT_THAT(CallSocket(kFollowTrips, "", AsViewer()), Not(HasSubstr("ridestream-pseudonym")));
}

TEST_F(ViewersTest, SessionTakesOverACarByItsPseudonym) {
  const Headers caller = {{"ridestream-caller", "driver/" + Pseudonym()}};
  EXPECT_THAT(CallSocket(kDriveMethod, "", caller, site_.Open()),
              HasSubstr("ridestream-pseudonym: " + Pseudonym()))
      << "drives as the driver behind it";
}

}  // namespace
}  // namespace ridestream::gateway
