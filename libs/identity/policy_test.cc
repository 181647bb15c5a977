#include "libs/identity/policy.h"

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "google/protobuf/descriptor.pb.h"
#include "gtest/gtest.h"
#include "libs/identity/policy_files.h"
#include "libs/testing/status_matchers.h"
#include "ridestream/auth/v1/policy.pb.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/location/v1/location.pb.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::identity {
namespace {

using google::protobuf::MethodDescriptor;
using testing::IsOk;
using testing::StatusIs;

constexpr auto kDenied = absl::StatusCode::kPermissionDenied;

const MethodDescriptor& Method(const char* service, const char* name) {
  for (const auto* file : {dispatch::v1::DriveRequest::descriptor()->file(),
                           location::v1::WatchAreaRequest::descriptor()->file(),
                           trip::v1::Trip::descriptor()->file()}) {
    const auto* found = file->FindServiceByName(service);
    if (found != nullptr) return *found->FindMethodByName(name);
  }
  std::abort();
}

/// All callers of a method, by name, with their scope. All others are refused.
using Allowed = std::map<std::string, Scope>;

// The policies are repeated here by hand, so that no option changes unnoticed.
const std::map<std::string, Allowed>& Stated() {
  const Allowed dispatch = {{"service/dispatch", Scope::kAll}};
  const Allowed people = {{"rider/r", Scope::kAll},
                          {"driver/d", Scope::kAll},
                          {"operator/o", Scope::kAll},
                          {"viewer/v", Scope::kAll}};
  const Allowed rider = {{"rider/r", Scope::kOwn}};
  const Allowed rider_or_operator = {{"rider/r", Scope::kOwn}, {"operator/o", Scope::kAll}};
  const Allowed map = {{"operator/o", Scope::kAll}, {"viewer/v", Scope::kAnonymous}};
  static const std::map<std::string, Allowed> stated = {
      {"ClockService.GetTime", dispatch},
      {"DispatchService.Drive", {{"driver/d", Scope::kOwn}}},
      {"DispatchService.GetDriver", map},
      {"DispatchService.GetOfferStats", {{"operator/o", Scope::kAll}, {"viewer/v", Scope::kAll}}},
      {"LocationService.ReportPositions", dispatch},
      {"LocationService.FindNearest",
       {{"operator/o", Scope::kAll}, {"service/dispatch", Scope::kAll}}},
      {"LocationService.WatchArea",
       {{"operator/o", Scope::kAll},
        {"viewer/v", Scope::kAnonymous},
        {"service/exporter", Scope::kAll}}},
      {"LocationService.GetIndexStats", {{"operator/o", Scope::kAll}, {"viewer/v", Scope::kAll}}},
      {"MarketService.ListMarkets", people},
      {"MarketService.GetStreets", people},
      {"TripService.QuoteTrip", rider},
      {"TripService.RequestTrip", rider},
      {"TripService.CancelTrip",
       {{"rider/r", Scope::kOwn}, {"operator/o", Scope::kAll}, {"service/dispatch", Scope::kAll}}},
      {"TripService.ChangeDestination", rider},
      {"TripService.GetTrip", rider_or_operator},
      {"TripService.ListTrips", rider_or_operator},
      {"TripService.WatchTrip", rider_or_operator},
      {"TripService.FollowTrips",
       {{"operator/o", Scope::kAll},
        {"viewer/v", Scope::kAnonymous},
        {"service/dispatch", Scope::kAll},
        {"service/exporter", Scope::kAll}}},
      {"TripService.AssignTrip", dispatch},
      {"TripService.AdvanceTrip", dispatch},
      {"TripService.ReleaseTrip", dispatch},
      {"TripService.GiveUpTrip", dispatch},
      {"TripService.ReportDriverLost", dispatch},
      {"TripService.ReportProgress", dispatch},
      {"TripService.ReportSurge", dispatch},
      {"TripService.AcquireLease", dispatch},
      {"TripService.RenewLease", dispatch},
      {"TripService.ReleaseLease", dispatch},
  };
  return stated;
}

const Principal kCallers[] = {
    {Role::kRider, "r"},          {Role::kDriver, "d"},         {Role::kOperator, "o"},
    {Role::kViewer, "v"},         {Role::kService, "dispatch"}, {Role::kService, "trip"},
    {Role::kService, "location"}, {Role::kService, "gateway"},  {Role::kService, "rider"},
};

TEST(PolicyTest, EveryMethodAnswersEveryKindOfCallerAsStated) {
  const absl::StatusOr<ProtoServices> protos = ProtoServices::Read(RIDESTREAM_DESCRIPTORS);
  ASSERT_THAT(protos, IsOk());
  std::set<std::string> seen;
  for (const auto* service : protos->services()) {
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor& method = *service->method(i);
      const std::string name = service->name() + "." + method.name();
      SCOPED_TRACE(name);
      seen.insert(name);
      ASSERT_TRUE(Stated().contains(name)) << "state here who may call it";
      const Allowed& allowed = Stated().at(name);
      EXPECT_THAT(Authorize(nullptr, method, nullptr),
                  StatusIs(absl::StatusCode::kUnauthenticated, "needs a token"));
      for (const Principal& caller : kCallers) {
        const auto permission = Authorize(&caller, method, nullptr);
        const auto found = allowed.find(Name(caller));
        if (found == allowed.end()) {
          EXPECT_THAT(permission, StatusIs(kDenied, "isn't for ")) << Name(caller);
        } else {
          ASSERT_THAT(permission, IsOk()) << Name(caller);
          EXPECT_EQ(permission->scope, found->second) << Name(caller);
        }
      }
    }
  }
  EXPECT_EQ(seen.size(), Stated().size());
}

TEST(PolicyTest, EveryMethodHasASoundPolicy) {
  const absl::StatusOr<ProtoServices> protos = ProtoServices::Read(RIDESTREAM_DESCRIPTORS);
  ASSERT_THAT(protos, IsOk());
  EXPECT_THAT(CheckPolicies(protos->services()), IsOk());
}

TEST(PolicyTest, ThePageHasTheTablesOfTheProtos) {
  const absl::StatusOr<ProtoServices> protos = ProtoServices::Read(RIDESTREAM_DESCRIPTORS);
  ASSERT_THAT(protos, IsOk());
  std::ifstream file("docs/security.md");
  ASSERT_TRUE(file) << "run in the root of the repository";
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_NE(page.str().find(PolicyTables(protos->services())), std::string::npos)
      << "put this into docs/security.md:\n"
      << PolicyTables(protos->services());
}

TEST(PolicyTest, ACallerOfOneMarketMayNameNoOther) {
  const Principal driver{Role::kDriver, "d", "porto"};
  const Principal anywhere{Role::kDriver, "d"};
  const MethodDescriptor& drive = Method("DispatchService", "Drive");
  dispatch::v1::DriveRequest hello;
  EXPECT_THAT(Authorize(&driver, drive, &hello), IsOk());  // The service refuses a missing Hello.
  hello.mutable_hello()->set_market("porto");
  const auto permission = Authorize(&driver, drive, &hello);
  ASSERT_THAT(permission, IsOk());
  EXPECT_EQ(*permission, (Permission{Scope::kOwn, "porto"}));
  hello.mutable_hello()->set_market("manhattan");
  EXPECT_THAT(Authorize(&driver, drive, &hello), StatusIs(kDenied, "hello.market"));
  EXPECT_THAT(Authorize(&anywhere, drive, &hello), IsOk());

  const Principal viewer{Role::kViewer, "v", "porto"};
  const MethodDescriptor& follow = Method("TripService", "FollowTrips");
  trip::v1::FollowTripsRequest log;
  log.add_markets("porto");
  EXPECT_THAT(Authorize(&viewer, follow, &log), IsOk());
  log.add_markets("manhattan");
  EXPECT_THAT(Authorize(&viewer, follow, &log), StatusIs(kDenied, "markets"));

  // Records name their market, and the service must compare it.
  trip::v1::GetTripRequest get;
  const Principal rider{Role::kRider, "r", "porto"};
  const auto own = Authorize(&rider, Method("TripService", "GetTrip"), &get);
  ASSERT_THAT(own, IsOk());
  EXPECT_EQ(*own, (Permission{Scope::kOwn, "porto"}));
}

TEST(PolicyTest, ARiderMayNameNoOtherRider) {
  const MethodDescriptor& list = Method("TripService", "ListTrips");
  const Principal ada{Role::kRider, "ada"};
  const Principal support{Role::kOperator, "support"};
  trip::v1::ListTripsRequest request;
  EXPECT_THAT(Authorize(&ada, list, &request), IsOk());
  request.set_rider_id("ada");
  EXPECT_THAT(Authorize(&ada, list, &request), IsOk());
  request.set_rider_id("eve");
  EXPECT_THAT(Authorize(&ada, list, &request), StatusIs(kDenied, "rider_id"));
  EXPECT_THAT(Authorize(&support, list, &request), IsOk());
}

/// A method of TripService with this policy, in text format; "" for none.
class MadeMethod {
 public:
  explicit MadeMethod(const auth::v1::Policy* policy) {
    google::protobuf::FileDescriptorProto file;
    trip::v1::Trip::descriptor()->file()->CopyTo(&file);
    file.set_name("made.proto");
    file.set_package("made");
    file.clear_message_type();
    file.clear_enum_type();
    file.clear_dependency();
    file.clear_service();
    auto* message = file.add_message_type();
    message->set_name("Request");
    auto* field = message->add_field();
    field->set_name("market");
    field->set_number(1);
    field->set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
    field->set_type(google::protobuf::FieldDescriptorProto::TYPE_STRING);
    *message->add_field() = *field;
    message->mutable_field(1)->set_name("size");
    message->mutable_field(1)->set_number(2);
    message->mutable_field(1)->set_type(google::protobuf::FieldDescriptorProto::TYPE_UINT32);
    auto* service = file.add_service();
    service->set_name("Made");
    auto* method = service->add_method();
    method->set_name("Call");
    method->set_input_type(".made.Request");
    method->set_output_type(".made.Request");
    if (policy != nullptr) {
      *method->mutable_options()->MutableExtension(auth::v1::policy) = *policy;
    }
    service_ = pool_.BuildFile(file)->service(0);
  }
  const google::protobuf::ServiceDescriptor* service() const { return service_; }

 private:
  google::protobuf::DescriptorPool pool_;
  const google::protobuf::ServiceDescriptor* service_;
};

TEST(PolicyTest, AMethodWithoutAPolicyIsRefusedToEverybody) {
  const MadeMethod made(nullptr);
  EXPECT_THAT(CheckPolicies({made.service()}),
              StatusIs(absl::StatusCode::kInvalidArgument, "made.Made.Call has no policy"));
  for (const Principal& caller : kCallers) {
    EXPECT_THAT(Authorize(&caller, *made.service()->method(0), nullptr), StatusIs(kDenied, ""));
  }
}

TEST(PolicyTest, UnsoundPoliciesAreFound) {
  using auth::v1::Policy;
  Policy sound;
  sound.add_all("service/trip");
  sound.add_own("rider");
  sound.set_market_field("market");
  EXPECT_THAT(CheckPolicies({MadeMethod(&sound).service()}), IsOk());
  struct Case {
    const char* fault;
    std::function<void(Policy&)> spoil;
  };
  const Case cases[] = {
      {"lists nobody",
       [](Policy& policy) {
         policy.clear_all();
         policy.clear_own();
       }},
      {"lists admin, which", [](Policy& policy) { policy.add_all("admin"); }},
      {"lists service, which", [](Policy& policy) { policy.add_all("service"); }},
      {"lists service/, which", [](Policy& policy) { policy.add_all("service/"); }},
      {"lists trip, which", [](Policy& policy) { policy.add_all("trip"); }},
      {"lists rider twice", [](Policy& policy) { policy.add_all("rider"); }},
      {"lists service/trip twice", [](Policy& policy) { policy.add_anonymous("service/trip"); }},
      {"names markets", [](Policy& policy) { policy.set_market_field("markets"); }},
      {"names size", [](Policy& policy) { policy.set_subject_field("size"); }},
      {"names market.name", [](Policy& policy) { policy.set_market_field("market.name"); }},
  };
  for (const Case& test : cases) {
    Policy policy = sound;
    test.spoil(policy);
    EXPECT_THAT(CheckPolicies({MadeMethod(&policy).service()}),
                StatusIs(absl::StatusCode::kInvalidArgument, test.fault));
  }
}

}  // namespace
}  // namespace ridestream::identity
