// Three markets, each with its own dispatch and location, behind one address: a proxy routes calls
// by the metadata `ridestream-market`. One trip serves all of them. Drivers, riders and operators
// know only the proxy's address; services reach each other directly, with their certificates.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/clock.h"
#include "libs/base/host_port.h"
#include "libs/identity/development_authority.h"
#include "libs/process/authority.h"
#include "libs/process/child_process.h"
#include "libs/process/haproxy.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/client_security.h"
#include "libs/rpc/development_security.h"
#include "libs/rpc/market.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::markets {
namespace {

using absl::StatusCode;
using process::ChildProcess;
using testing::IsOk;
using testing::StatusIs;

constexpr std::array kMarkets = {"lisbon", "madrid", "porto"};
const rpc::Caller kOperator{rpc::CallerKind::kOperator, "test"};

/// "lisbon=city:1".
std::string WithStreets(const std::string& market) {
  for (std::size_t i = 0; i < kMarkets.size(); ++i) {
    if (market == kMarkets[i]) return fmt::format("{}=city:{}", market, i + 1);
  }
  return "";
}

class MarketsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* bin = std::getenv("RIDESTREAM_BIN");
    ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
    bin_ = bin;
    ASSERT_THAT(process::MakeAuthority(authority_), IsOk());
    ASSERT_THAT(rpc::UseDevelopmentAuthority(authority_), IsOk());
    std::vector<std::string> all;
    for (const char* market : kMarkets) all.push_back(WithStreets(market));
    Start("trip", "trip",
          {"--data=" + folder_.File("trips"), fmt::format("--markets={}", fmt::join(all, ","))});
    for (const std::string market : kMarkets) {
      Start("location-" + market, "location", {"--markets=" + market});
      if (HasFatalFailure()) return;
      Start("dispatch-" + market, "dispatch",
            {"--markets=" + WithStreets(market), "--trip=" + Address("trip"),
             "--location=" + Address("location-" + market)});
    }
    if (!HasFatalFailure()) StartProxy();
  }

  /// Starts a service on a free port.
  void Start(const std::string& name, const std::string& binary,
             const std::vector<std::string>& flags) {
    if (HasFatalFailure()) return;
    std::vector<std::string> all = process::SecurityFlags(authority_, binary);
    all.insert(all.end(), {"--listen=127.0.0.1:0", "--metrics_listen=off", "--clock_rate=10"});
    all.insert(all.end(), flags.begin(), flags.end());
    auto started = ChildProcess::Start({.binary = fmt::format("{}/{}", bin_, binary),
                                        .arguments = std::move(all),
                                        .log_path = folder_.File(name + ".log")});
    ASSERT_THAT(started, IsOk());
    processes_[name] = *std::move(started);
    ASSERT_THAT(processes_[name]->WaitUntilServing(), IsOk()) << name;
  }

  /// Skips the test where there is no HAProxy.
  void StartProxy() {
    // HAProxy reads the certificate and its key from one file.
    const std::string certificate = folder_.File("proxy.pem");
    std::ofstream(certificate) << std::ifstream(authority_ + "/door.pem").rdbuf()
                               << std::ifstream(authority_ + "/door.key").rdbuf();
    const std::string tls =
        fmt::format("ssl crt {} ca-file {}/authority.pem verify required alpn h2 verifyhost ",
                    certificate, authority_);
    std::ofstream backends(folder_.File("backends.cfg"));
    for (const std::string market : kMarkets) {
      for (const std::string service : {"dispatch", "location"}) {
        backends << fmt::format("backend {0}:{1}\n  server one {2} proto h2 {3}{0}\n", service,
                                market, Address(fmt::format("{}-{}", service, market)), tls);
      }
    }
    backends.close();
    auto proxy = process::HaProxy::Start(
        {.configs = {"deploy/door/markets.cfg", folder_.File("backends.cfg")},
         .folder = folder_.path(),
         .environment = {{"MARKETS_TRIP", Address("trip")},
                         {"MARKETS_TRIP_TLS", tls + "trip"},
                         {"MARKETS_REQUESTS", "20000"},
                         {"MARKETS_CONNECTIONS", "200"}},
         .bind_variable = "MARKETS_BIND",
         .bind_words = "ssl crt " + certificate + " alpn h2"});
    if (absl::IsNotFound(proxy.status())) GTEST_SKIP() << proxy.status().message();
    ASSERT_THAT(proxy, IsOk());
    proxy_ = *std::move(proxy);
    channel_ = rpc::MakeChannel(proxy_->address());
  }

  std::string Address(const std::string& name) const {
    return processes_.at(name)->Announced("address");
  }
  /// "lisbon=127.0.0.1:1,madrid=…": the addresses of that service's processes by market.
  std::string Map(const std::string& service) const {
    std::vector<std::string> entries;
    for (const std::string market : kMarkets) {
      entries.push_back(
          fmt::format("{}={}", market, Address(fmt::format("{}-{}", service, market))));
    }
    return fmt::format("{}", fmt::join(entries, ","));
  }

  /// The city of one market, through the proxy.
  std::unique_ptr<ChildProcess> StartCity(const std::string& market) {
    const std::string roads = WithStreets(market).substr(market.size() + 1);
    auto city = ChildProcess::Start(
        {.binary = bin_ + "/loadtest",
         .arguments = {"--trip=" + proxy_->address(), "--location=" + proxy_->address(),
                       "--dispatch=" + proxy_->address(), process::LoadtestSecurityFlag(authority_),
                       "--clock_rate=10", "--market=" + market, "--roads=" + roads, "--drivers=60",
                       "--seconds=15", "--requests_per_hour=600", "--progress=none",
                       "--drain_seconds=90", "--json=" + folder_.File(market + ".json")},
         .log_path = folder_.File("loadtest-" + market + ".log")});
    EXPECT_THAT(city, IsOk());
    return city.ok() ? *std::move(city) : nullptr;
  }

  /// Requests through the proxy how many drivers the location of `market` knows; the request itself
  /// names `asked_about`.
  absl::StatusOr<std::uint64_t> CountDrivers(const std::string& market,
                                             const std::string& asked_about) {
    grpc::ClientContext context;
    rpc::SetTimeout(context, std::chrono::seconds(10));
    rpc::SetCaller(context, kOperator);
    rpc::SetMarket(context, market);
    location::v1::GetIndexStatsRequest request;
    request.set_market(asked_about);
    location::v1::GetIndexStatsResponse response;
    const absl::Status status =
        rpc::FromGrpcStatus(location::v1::LocationService::NewStub(channel_)->GetIndexStats(
            &context, request, &response));
    if (!status.ok()) return status;
    return response.applied();
  }

  /// The final status of a driver's stream after this Hello.
  absl::Status Drive(const std::string& market, const std::string& hello_market) {
    grpc::ClientContext context;
    rpc::SetTimeout(context, std::chrono::seconds(10));
    rpc::SetCaller(context, {rpc::CallerKind::kDriver, "d-1"});
    rpc::SetMarket(context, market);
    const auto stream = dispatch::v1::DispatchService::NewStub(channel_)->Drive(&context);
    dispatch::v1::DriveRequest hello;
    hello.mutable_hello()->set_market(hello_market);
    hello.mutable_hello()->set_seats(4);
    dispatch::v1::DriveResponse response;
    stream->Write(hello);
    if (stream->Read(&response)) context.TryCancel();
    return rpc::FromGrpcStatus(stream->Finish());
  }

  const testing::TempFolder folder_;
  const std::string authority_ = folder_.File("authority");
  std::string bin_;
  std::map<std::string, std::unique_ptr<ChildProcess>> processes_;
  std::unique_ptr<process::HaProxy> proxy_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(MarketsTest, ThreeCitiesLiveBehindOneAddressAndTheirAuditsAreClean) {
  std::map<std::string, std::unique_ptr<ChildProcess>> cities;
  for (const std::string market : kMarkets) cities[market] = StartCity(market);
  for (const auto& [market, city] : cities) {
    ASSERT_NE(city, nullptr);
    const int status = city->Stop(0);
    EXPECT_EQ(status, 0) << market << " " << process::DescribeWaitStatus(status) << ": "
                         << city->LogEnd();
    std::ifstream file(folder_.File(market + ".json"));
    const auto report = nlohmann::json::parse(file, nullptr, false);
    ASSERT_FALSE(report.is_discarded()) << market;
    EXPECT_GT(report["completed"].get<int>(), 0) << market << ": " << report.dump(1);
  }
  // Each location contains its own market's drivers, and refuses requests about others'.
  for (const std::string market : kMarkets) {
    const auto applied = CountDrivers(market, market);
    ASSERT_THAT(applied, IsOk());
    EXPECT_GT(*applied, 0U) << market;
  }
}

TEST_F(MarketsTest, AnUnknownMarketGetsAnErrorThatNamesIt) {
  EXPECT_THAT(Drive("atlantis", "atlantis"),
              StatusIs(StatusCode::kFailedPrecondition, "market 'atlantis' isn't served"));
  EXPECT_THAT(CountDrivers("atlantis", "atlantis"),
              StatusIs(StatusCode::kFailedPrecondition, "market 'atlantis' isn't served"));
  EXPECT_THAT(CountDrivers("", "porto"),
              StatusIs(StatusCode::kInvalidArgument, "ridestream-market: is missing"));
}

TEST_F(MarketsTest, RejectsMarketsServedElsewhereAndNamesItsOwn) {
  // The proxy trusts the metadata; the message decides.
  EXPECT_THAT(Drive("porto", "lisbon"),
              StatusIs(StatusCode::kFailedPrecondition,
                       "hello.market: market 'lisbon' isn't served here, only porto"));
  EXPECT_THAT(CountDrivers("porto", "lisbon"),
              StatusIs(StatusCode::kFailedPrecondition,
                       "market: market 'lisbon' isn't served here, only porto"));
  // Reached without the proxy, the service refuses by the metadata alone.
  channel_ = rpc::MakeChannel(Address("location-porto"));
  EXPECT_THAT(CountDrivers("lisbon", "porto"),
              StatusIs(StatusCode::kFailedPrecondition,
                       "ridestream-market: market 'lisbon' isn't served here, only porto"));
}

TEST_F(MarketsTest, TheProxyServesCallersWithATokenOverTlsAlone) {
  std::stringstream authority;
  authority << std::ifstream(authority_ + "/authority.pem").rdbuf();
  grpc::SslCredentialsOptions without_certificate;
  without_certificate.pem_root_certs = authority.str();
  const auto tls = grpc::SslCredentials(without_certificate);
  const auto count = [&](const std::string& address,
                         const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    channel_ = rpc::MakeChannel(address, {.credentials = credentials});
    return CountDrivers("porto", "porto");
  };
  EXPECT_THAT(count(proxy_->address(), tls), IsOk());
  EXPECT_THAT(count(proxy_->address(), grpc::InsecureChannelCredentials()),
              StatusIs(StatusCode::kUnavailable, ""));
  // Only the proxy's certificate is accepted by a service.
  for (const char* service : {"trip", "dispatch-porto", "location-porto"}) {
    EXPECT_THAT(count(Address(service), tls), StatusIs(StatusCode::kUnavailable, "")) << service;
  }
  rpc::UseClientSecurity({});  // Claims to be an operator, without a token.
  EXPECT_THAT(count(proxy_->address(), tls), StatusIs(StatusCode::kUnauthenticated, ""));
}

TEST_F(MarketsTest, ServicesKnowClientsByTheAddressThatTheProxySaw) {
  grpc::ClientContext context;
  rpc::SetTimeout(context, std::chrono::seconds(10));
  rpc::SetCaller(context, {rpc::CallerKind::kDriver, "nosy"});
  rpc::SetMarket(context, "porto");
  context.AddMetadata("x-forwarded-for", "203.0.113.9");  // Anybody can send this header.
  location::v1::GetIndexStatsResponse response;
  ASSERT_EQ(location::v1::LocationService::NewStub(channel_)
                ->GetIndexStats(&context, {}, &response)
                .error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  // The test's timeout bounds the loop.
  std::string log;
  while (log.find(" caller=driver/nosy ") == std::string::npos) {
    std::stringstream text;
    text << std::ifstream(processes_.at("location-porto")->log_path()).rdbuf();
    log = text.str();
  }
  EXPECT_THAT(log, ::testing::HasSubstr(" caller=driver/nosy peer=ipv4:127.0.0.1:0 "));
  EXPECT_THAT(log, ::testing::Not(::testing::HasSubstr("203.0.113.9")));
}

TEST_F(MarketsTest, TheGatewayFindsEachMarketByItsMap) {
  Start("gateway", "gateway",
        {"--trip=" + Address("trip"), "--location=" + Map("location"),
         "--dispatch=" + Map("dispatch")});
  if (HasFatalFailure()) return;
  gateway::TestClient client(ParseHostPort(Address("gateway"))->port);
  const auto token = identity::DevelopmentAuthority::MintToken(
      authority_, kOperator, ScaledClock().Now(), std::chrono::hours(1));
  ASSERT_THAT(token, IsOk());
  const gateway::Headers caller = {{"authorization", "Bearer " + *token}};
  for (const std::string market : kMarkets) {
    for (const char* path : {"drivers:stats", "offers:stats"}) {
      const auto answer =
          client.Call("GET", fmt::format("/v1/markets/{}/{}", market, path), caller);
      EXPECT_EQ(answer.status, 200) << market << " " << path << ": " << answer.body;
    }
  }
  const auto unknown = client.Call("GET", "/v1/markets/atlantis/offers:stats", caller);
  EXPECT_EQ(unknown.status, 400);
  EXPECT_THAT(unknown.body, ::testing::HasSubstr("only lisbon, madrid, porto"));
}

}  // namespace
}  // namespace ridestream::markets
