// Compares the errors that the protos list for each method with those that it returns.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "google/protobuf/util/json_util.h"
#include "services/gateway/http/problem.h"
#include "services/gateway/openapi/comments.h"
#include "tests/e2e/bystanders.h"
#include "tests/e2e/hostile_test.h"
#include "tests/e2e/test_rider.h"

namespace ridestream::e2e {
namespace {

using google::protobuf::MethodDescriptor;

/// The gRPC codes after "Errors:" in a method's comment: in a list of lines "* CODE: when", or as
/// "CODE (when), …".
std::set<std::string> ListedErrors(const std::string& comment) {
  std::set<std::string> listed;
  std::string word;
  for (const char c : comment.substr(std::min(comment.find("Errors:"), comment.size())) + " ") {
    if ((c >= 'A' && c <= 'Z') || c == '_') {
      word += c;
      continue;
    }
    for (int code = 1; code <= 16; ++code) {
      const std::string_view name = gateway::CodeName(static_cast<absl::StatusCode>(code));
      if (word == name) listed.insert(word);
    }
    word.clear();
  }
  return listed;
}

/// The errors that common.proto lists for every method, except for a service's own failures.
const std::set<std::string>& ErrorsOfEveryMethod() {
  static const std::set<std::string> errors = {"UNAUTHENTICATED",    "PERMISSION_DENIED",
                                               "RESOURCE_EXHAUSTED", "UNAVAILABLE",
                                               "DEADLINE_EXCEEDED",  "CANCELLED"};
  return errors;
}

/// Listed errors that need a particular map or timing, and the tests that provoke them.
const std::map<std::string, std::string>& ProvokedElsewhere() {
  static const std::map<std::string, std::string> elsewhere = {
      {"QuoteTrip FAILED_PRECONDITION", "TripServiceTest.BadQuotesAreRefusedByField"},
      {"Drive ABORTED", "DriveStreamTest.ANewerStreamFencesTheOlderAndOutlivesItsEnd"},
      {"Drive FAILED_PRECONDITION", "DriveLimitsTest.DriverOfAnotherMarketMustEndItsShift"},
  };
  return elsewhere;
}

class ErrorsTest : public HostileTest {
 protected:
  const MethodDescriptor& Find(const std::string& name) const {
    for (const MethodDescriptor* method : api_.methods()) {
      if (method->name() == name) return *method;
    }
    ADD_FAILURE() << "no method " << name;
    return *api_.methods().front();
  }

  void Call(const MethodDescriptor& method, const std::string& caller, const std::string& bytes) {
    const auto code = HostileTest::Call(method, caller, {bytes}).error_code();
    if (code == grpc::StatusCode::OK) return;
    returned_[method.name()].insert(
        std::string(gateway::CodeName(static_cast<absl::StatusCode>(code))));
  }
  void Call(const std::string& name, const std::string& caller, const std::string& json) {
    const MethodDescriptor& method = Find(name);
    const auto message = api_.Sample(*method.input_type());
    message->Clear();
    const auto parsed = google::protobuf::util::JsonStringToMessage(json, message.get());
    ASSERT_TRUE(parsed.ok()) << parsed.ToString();
    Call(method, caller, message->SerializeAsString());
  }

  /// Provokes what any method returns for strangers, and for fields that are wrong or refer to
  /// nothing.
  void ProvokeByAnyCaller(const MethodDescriptor& method) {
    const std::string sample = api_.Sample(*method.input_type())->SerializeAsString();
    for (const char* caller : {"", "nobody", "rider/x-1", "driver/x-1", "operator/x-1",
                               "viewer/x-1", "service/dispatch"}) {
      Call(method, caller, sample);
      for (const TextField& field : Api::TextFieldsOf(*method.input_type())) {
        for (const char* text : {"", "nowhere", "no id"}) {
          Call(method, caller, api_.SampleWith(*method.input_type(), field, text));
        }
      }
    }
  }

  /// Runs through a trip's life, with everything that its state forbids.
  void ProvokeByATrip() {
    const LatLng from = Bystanders::AnyPlace();
    const LatLng to = OffsetBy(from, 700, 300);
    TestRider rider(system_->trip(), "r-1");
    const auto quote = rider.Quote(from, to);
    const std::string trip = rider.Request(quote, "one").trip_id();
    const auto request = [&](const char* id, const std::string& name) {
      Call("RequestTrip", "rider/r-1",
           fmt::format(R"({{"request_id":"{}","quote_id":"{}","rider_name":"{}"}})", id,
                       quote.quote_id(), name));
    };
    request("one", "Another");
    request("two", "Ada");
    const auto of_trip = [&](const char* method, const char* caller, const std::string& more) {
      // The running dispatch has the market's lease.
      const char* const term = caller == std::string("service/dispatch") ? R"(,"term":1)" : "";
      Call(method, caller, fmt::format(R"({{"trip_id":"{}"{}{}}})", trip, more, term));
    };
    const auto change = [&](const char* caller, const char* id, LatLng place) {
      of_trip("ChangeDestination", caller,
              fmt::format(R"(,"request_id":"{}","dropoff":{{"lat_e7":{},"lng_e7":{}}})", id,
                          place.lat_e7, place.lng_e7));
    };
    for (const char* method : {"GetTrip", "WatchTrip"}) of_trip(method, "rider/r-2", "");
    change("rider/r-2", "c", to);
    change("rider/r-1", "c", OffsetBy(to, 100, 0));
    change("rider/r-1", "c", OffsetBy(to, 0, 300));
    const auto assign = [&](const char* offer, const char* driver) {
      of_trip("AssignTrip", "service/dispatch",
              fmt::format(R"(,"offer_id":"{}","seats":4,"driver":{{"driver_id":"{}"}})", offer,
                          driver));
    };
    assign("o-1", "d-1");
    assign("o-1", "d-2");
    assign("o-2", "d-2");
    of_trip("AdvanceTrip", "service/dispatch", R"(,"driver_id":"d-2","to":"TRIP_STATE_ARRIVED")");
    of_trip("AdvanceTrip", "service/dispatch", R"(,"driver_id":"d-1","to":"TRIP_STATE_COMPLETED")");
    Call("AdvanceTrip", "service/dispatch",
         R"({"trip_id":"none","driver_id":"d-1","to":"TRIP_STATE_ARRIVED"})");
    of_trip("ReleaseTrip", "service/dispatch",
            R"(,"driver_id":"d-1","reason":"RELEASE_REASON_NO_SHOW")");
    of_trip("GiveUpTrip", "service/dispatch", "");
    of_trip("ReportDriverLost", "service/dispatch", R"(,"driver_id":"d-1","lost":true)");
    of_trip("CancelTrip", "rider/r-2", R"(,"request_id":"x","reason":1)");
    of_trip("CancelTrip", "rider/r-1", R"(,"request_id":"x","reason":1)");
    of_trip("CancelTrip", "rider/r-1", R"(,"request_id":"x","reason":2)");
    of_trip("CancelTrip", "service/dispatch", R"(,"request_id":"y","reason":1)");
    change("rider/r-1", "d", to);
    assign("o-3", "d-3");
    Call("AcquireLease", "service/dispatch",
         R"({"market":"nowhere","holder":"h","duration":"2s"})");
    Call("RenewLease", "service/dispatch",
         R"({"market":"nowhere","holder":"h","term":1,"duration":"2s"})");
    Call("ReleaseLease", "service/dispatch", R"({"market":"nowhere","holder":"h","term":1})");
  }

  std::map<std::string, std::set<std::string>> returned_;
};

TEST_F(ErrorsTest, EachMethodReturnsTheErrorsThatItsProtoLists) {
  for (const MethodDescriptor* method : api_.methods()) ProvokeByAnyCaller(*method);
  ProvokeByATrip();
  const gateway::Comments comments;
  std::size_t compared = 0;
  for (const MethodDescriptor* method : api_.methods()) {
    const std::set<std::string> listed = ListedErrors(comments.Find(method->full_name()));
    for (const std::string& code : returned_[method->name()]) {
      EXPECT_TRUE(listed.contains(code) || ErrorsOfEveryMethod().contains(code))
          << method->name() << " returned " << code << ", which its comment doesn't list";
    }
    for (const std::string& code : listed) {
      ++compared;
      EXPECT_TRUE(returned_[method->name()].contains(code) ||
                  ErrorsOfEveryMethod().contains(code) ||
                  ProvokedElsewhere().contains(method->name() + " " + code))
          << method->name() << " lists " << code << ", which nothing here provokes";
    }
  }
  EXPECT_GT(compared, 60u);
}

}  // namespace
}  // namespace ridestream::e2e
