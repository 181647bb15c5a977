// Calls every method of the API as every kind of caller on the running services: each gets exactly
// the answer that the method's policy states.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libs/identity/development_authority.h"
#include "libs/identity/policy.h"
#include "libs/process/authority.h"
#include "libs/process/local_services.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/proving_authenticator.h"
#include "libs/rpc/status.h"
#include "libs/rpc/tls_credentials.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "tests/e2e/api.h"
#include "tests/e2e/raw_call.h"

namespace ridestream::e2e {
namespace {

using google::protobuf::MethodDescriptor;
using identity::Principal;
using identity::Role;
using testing::IsOk;

constexpr grpc::StatusCode kNobody = grpc::StatusCode::UNAUTHENTICATED;
constexpr grpc::StatusCode kDenied = grpc::StatusCode::PERMISSION_DENIED;
constexpr grpc::StatusCode kClosed = grpc::StatusCode::UNAVAILABLE;

class PolicyMatrixTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* bin = std::getenv("RIDESTREAM_BIN");
    ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
    // One caller makes all the calls.
    auto system = process::LocalServices::Start({.bin = bin,
                                                 .trip_flags = {"--max_calls_per_s=0"},
                                                 .location_flags = {"--max_calls_per_s=0"},
                                                 .dispatch_flags = {"--max_calls_per_s=0"}});
    ASSERT_THAT(system, IsOk());
    system_ = *std::move(system);
  }

  static std::string ServerOf(const MethodDescriptor& method) {
    const std::string package = method.file()->package();
    if (package == "ridestream.dispatch.v1") return "dispatch";
    return package == "ridestream.location.v1" ? "location" : "trip";
  }
  std::string AddressOf(const std::string& server) const {
    return system_->process(server).Announced("address");
  }

  /// A channel with the certificate of `service`; "": in plaintext.
  std::shared_ptr<grpc::Channel> ConnectAs(const std::string& service, const std::string& server) {
    auto& channel = channels_[{service, server}];
    if (channel != nullptr) return channel;
    rpc::ChannelOptions options{.connection = static_cast<int>(channels_.size())};
    if (!service.empty()) {
      const std::string folder = system_->authority();
      const auto tls = rpc::TlsCredentials::Load({.certificate = folder + "/" + service + ".pem",
                                                  .key = folder + "/" + service + ".key",
                                                  .authorities = folder + "/authority.pem"});
      EXPECT_THAT(tls, IsOk());
      options.credentials = (*tls)->ForChannel({server});
    }
    return channel = rpc::MakeChannel(AddressOf(server), options);
  }

  std::string Token(const Principal& principal, const std::string& authority,
                    std::chrono::seconds ago = std::chrono::seconds(0)) const {
    return *identity::DevelopmentAuthority::MintToken(
        authority, principal, ScaledClock().Now() - ago, std::chrono::hours(1));
  }

  grpc::Status Call(const MethodDescriptor& method, const std::string& service,
                    const Metadata& metadata) {
    const std::string sample = api_.Sample(*method.input_type())->SerializeAsString();
    return CallRaw(ConnectAs(service, ServerOf(method)), method, metadata, {sample});
  }
  grpc::Status CallWithToken(const MethodDescriptor& method, const std::string& carrier,
                             const std::string& token) {
    return Call(method, carrier, {{"authorization", "Bearer " + token}});
  }

  /// The refusal that the policy states for a proven caller whose call this service forwards;
  /// nullopt if the call is admitted.
  std::optional<grpc::StatusCode> Stated(const MethodDescriptor& method, const Principal& caller,
                                         const std::string& carrier = "gateway") {
    const auto sample = api_.Sample(*method.input_type());
    const auto permission = identity::Authorize(&caller, method, sample.get());
    if (permission.ok()) {
      const bool named = permission->scope != identity::Scope::kAnonymous || carrier == "gateway";
      return named ? std::nullopt : std::optional(kDenied);
    }
    return static_cast<grpc::StatusCode>(permission.status().code());
  }
  static void ExpectAnswer(const grpc::Status& status, std::optional<grpc::StatusCode> stated) {
    if (stated) {
      EXPECT_EQ(status.error_code(), *stated) << status.error_message();
    } else {
      // Then the result depends on the request, which refers to nothing that exists.
      EXPECT_NE(status.error_code(), kNobody) << status.error_message();
      EXPECT_NE(status.error_code(), kDenied) << status.error_message();
      EXPECT_NE(status.error_code(), kClosed) << status.error_message();
    }
  }

  std::unique_ptr<process::LocalServices> system_;
  Api api_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<grpc::Channel>> channels_;
};

TEST_F(PolicyMatrixTest, AllowsPeopleWhatThePolicyStatesForTheirRole) {
  std::size_t admitted = 0;
  for (const MethodDescriptor* method : api_.methods()) {
    for (const Role role : {Role::kRider, Role::kDriver, Role::kOperator, Role::kViewer}) {
      // Callers of the market "city", which the requests name, of any, and of another market.
      for (const char* market : {"", "city", "elsewhere"}) {
        const Principal caller{role, "x-1", market};
        const std::string token = Token(caller, system_->authority());
        for (const char* carrier : {"gateway", "loadtest"}) {
          SCOPED_TRACE(method->full_name() + " " + Name(caller) + "@" + market + " by " + carrier);
          const auto stated = Stated(*method, caller, carrier);
          if (!stated) ++admitted;
          ExpectAnswer(CallWithToken(*method, carrier, token), stated);
        }
      }
    }
    // The requests name x-1.
    const Principal other{Role::kRider, "x-2"};
    SCOPED_TRACE(method->full_name() + " " + Name(other));
    ExpectAnswer(CallWithToken(*method, "loadtest", Token(other, system_->authority())),
                 Stated(*method, other));
  }
  EXPECT_GT(admitted, 40u);
}

TEST_F(PolicyMatrixTest, RejectsEveryCallWithoutAValidToken) {
  const testing::TempFolder foreign;
  ASSERT_THAT(process::MakeAuthority(foreign.path()), IsOk());
  for (const MethodDescriptor* method : api_.methods()) {
    SCOPED_TRACE(method->full_name());
    for (const Role role : {Role::kRider, Role::kDriver, Role::kOperator, Role::kViewer}) {
      const Principal caller{role, "x-1"};
      const std::string token = Token(caller, system_->authority());
      std::string altered = token;
      altered[altered.size() / 2] = altered[altered.size() / 2] == 'A' ? 'B' : 'A';
      const std::string expired = Token(caller, system_->authority(), std::chrono::hours(2));
      for (const std::string& bad : {altered, expired, Token(caller, foreign.path()),
                                     token.substr(0, token.size() - 10), std::string("nonsense")}) {
        ExpectAnswer(CallWithToken(*method, "loadtest", bad), kNobody);
      }
      ExpectAnswer(
          Call(*method, "loadtest",
               {{"authorization", "Bearer " + token}, {"authorization", "Bearer " + token}}),
          kNobody);
      ExpectAnswer(Call(*method, "loadtest", {{"ridestream-caller", Name(caller)}}), kNobody);
    }
    ExpectAnswer(Call(*method, "loadtest", {}), kNobody);
  }
}

TEST_F(PolicyMatrixTest, AllowsServicesWhatThePolicyStatesForTheirCertificate) {
  for (const MethodDescriptor* method : api_.methods()) {
    const std::string server = ServerOf(*method);
    // ClockService is served by trip and location for the same callers.
    std::set<std::string> peers = {"dispatch", server};
    if (server == "trip" || server == "location") peers.insert("exporter");
    for (const char* service : {"trip", "location", "dispatch", "exporter", "gateway"}) {
      SCOPED_TRACE(fmt::format("{} service/{}", method->full_name(), service));
      const grpc::Status status = Call(*method, service, {});
      if (rpc::kTokenCarriers.contains(service)) {
        ExpectAnswer(status, kNobody);  // Without a token it is nobody.
      } else if (!peers.contains(service)) {
        ExpectAnswer(status, kClosed);
      } else {
        ExpectAnswer(status, Stated(*method, {Role::kService, service}));
      }
    }
  }
}

TEST_F(PolicyMatrixTest, PlaintextIsRefusedByEveryPort) {
  const Metadata operators = {{"ridestream-caller", "operator/eve"}};
  for (const MethodDescriptor* method : api_.methods()) {
    SCOPED_TRACE(method->full_name());
    ExpectAnswer(Call(*method, "", operators), kClosed);
  }
}

}  // namespace
}  // namespace ridestream::e2e
