// Certificates are replaced, or become unusable, while calls continue.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "libs/metrics/testing/scrape.h"
#include "libs/process/authority.h"
#include "libs/process/local_services.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "libs/rpc/tls_credentials.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"
#include "tests/e2e/bystanders.h"

namespace ridestream::e2e {
namespace {

using testing::IsOk;

std::string Content(const std::string& path) {
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

/// Replaces the file atomically, as a renewal of certificates should.
void Replace(const std::string& path, const std::string& content) {
  std::ofstream(path + ".new") << content;
  std::filesystem::rename(path + ".new", path);
}

/// Riders who call trip, each call on a new connection with a handshake.
class NewConnections {
 public:
  NewConnections(std::string address, std::shared_ptr<grpc::ChannelCredentials> credentials)
      : address_(std::move(address)), credentials_(std::move(credentials)) {
    for (int i = 0; i < 2; ++i) {
      threads_.emplace_back([this] {
        while (!ended_) Call();
      });
    }
  }
  ~NewConnections() {
    ended_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

  /// Waits for 10 more answers, and expects all to be OK.
  void ExpectWell() const {
    const int until = answered_ + 10;
    while (answered_ < until) std::this_thread::yield();
  }

 private:
  void Call() {
    const int number = ++calls_;
    const auto stub = trip::v1::TripService::NewStub(
        rpc::MakeChannel(address_, {.connection = 1'000 + number, .credentials = credentials_}));
    grpc::ClientContext context;
    rpc::SetCaller(context, {rpc::CallerKind::kRider, "r-" + std::to_string(number)});
    rpc::SetTimeout(context, std::chrono::seconds(30));
    trip::v1::ListTripsResponse response;
    const grpc::Status status = stub->ListTrips(&context, {}, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    ++answered_;
  }

  const std::string address_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  std::atomic<bool> ended_ = false;
  std::atomic<int> calls_ = 0;
  std::atomic<int> answered_ = 0;
  std::vector<std::thread> threads_;
};

class RotationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* bin = std::getenv("RIDESTREAM_BIN");
    ASSERT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
    auto system =
        process::LocalServices::Start({.bin = bin, .dispatch_flags = {"--match_every=200ms"}});
    ASSERT_THAT(system, IsOk());
    system_ = *std::move(system);
    ASSERT_THAT(rpc::UseDevelopmentAuthority(system_->authority()), IsOk());
  }

  std::string File(const std::string& name) const { return system_->authority() + "/" + name; }
  rpc::TlsFiles FilesOf(const std::string& service) const {
    return {File(service + ".pem"), File(service + ".key"), File("authority.pem")};
  }

  /// Waits for the metric that the alert uses. The test's timeout bounds the wait.
  void AwaitStale(const std::string& service, bool stale) const {
    while (true) {
      const auto metrics = metrics::testing::ScrapeMetrics(system_->metrics(service));
      ASSERT_THAT(metrics, IsOk());
      const double value = metrics::testing::Sum(*metrics, service + "_security_files_stale");
      if ((value == 1) == stale) return;
    }
  }

  static bool Connects(const std::string& address, const rpc::ChannelOptions& options) {
    return rpc::MakeChannel(address, options)
        ->WaitForConnected(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  }

  /// Waits until a client with `own` can connect to a server that has trip's certificate from
  /// `folder` and trusts the file `authorities`.
  static void AwaitConnection(const rpc::TlsCredentials& own, const std::string& folder,
                              const std::string& authorities) {
    const auto tls = rpc::TlsCredentials::Load({.certificate = folder + "/trip.pem",
                                                .key = folder + "/trip.key",
                                                .authorities = authorities});
    ASSERT_THAT(tls, IsOk());
    trip::v1::TripService::Service service;
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", (*tls)->ForServer({"loadtest"}), &port);
    builder.RegisterService(&service);
    const auto server = builder.BuildAndStart();
    int connection = 0;
    while (!Connects("127.0.0.1:" + std::to_string(port),
                     {.connection = ++connection, .credentials = own.ForChannel({"trip"})})) {
    }
  }

  /// Whether a client with a certificate of the authority in `folder`, which trusts only that
  /// authority, can connect.
  static bool CanConnect(const std::string& folder, const std::string& service,
                         const std::string& address) {
    static std::atomic<int> connection = 1'000'000;
    const auto tls = rpc::TlsCredentials::Load({.certificate = folder + "/loadtest.pem",
                                                .key = folder + "/loadtest.key",
                                                .authorities = folder + "/authority.pem"});
    EXPECT_THAT(tls, IsOk());
    return Connects(address,
                    {.connection = ++connection, .credentials = (*tls)->ForChannel({service})});
  }

  std::unique_ptr<process::LocalServices> system_;
};

TEST_F(RotationTest, AKeyThatCantBeUsedRaisesAnAlertAndTheOldOneServesOn) {
  Bystanders bystanders(*system_);
  const auto own = rpc::TlsCredentials::Load(FilesOf("loadtest"));
  ASSERT_THAT(own, IsOk());
  const NewConnections riders(system_->trip(), (*own)->ForChannel({"trip"}));
  const std::string key = Content(File("trip.key"));
  for (const std::string& unusable :
       {std::string("rubbish"), std::string(), Content(File("dispatch.key")), key.substr(0, 60)}) {
    Replace(File("trip.key"), unusable);
    AwaitStale("trip", true);
    riders.ExpectWell();
    Replace(File("trip.key"), key);
    AwaitStale("trip", false);
  }
  std::filesystem::remove(File("trip.key"));
  AwaitStale("trip", true);
  riders.ExpectWell();
  Replace(File("trip.key"), key);
  AwaitStale("trip", false);
  bystanders.ExpectUntouched();
}

TEST_F(RotationTest, AnAuthorityIsReplacedStepByStepUnderLoad) {
  const testing::TempFolder next;
  ASSERT_THAT(process::MakeAuthority(next.path()), IsOk());
  const testing::TempFolder before;
  for (const char* name : {"loadtest.pem", "loadtest.key", "authority.pem"}) {
    Replace(before.File(name), Content(File(name)));
  }
  Bystanders bystanders(*system_);
  // Unlike those of the bystanders, who keep their connections, these credentials follow their
  // files.
  const auto own = rpc::TlsCredentials::Load(FilesOf("loadtest"));
  ASSERT_THAT(own, IsOk());
  std::optional<NewConnections> riders(std::in_place, system_->trip(),
                                       (*own)->ForChannel({"trip"}));
  const std::pair<const char*, std::string> servers[] = {{"trip", system_->trip()},
                                                         {"location", system_->location()},
                                                         {"dispatch", system_->dispatch()}};

  // Everybody trusts both authorities.
  const std::string new_authority = Content(next.File("authority.pem"));
  Replace(File("authority.pem"), Content(File("authority.pem")) + new_authority);
  const auto trusts_new = [&](const std::string& service, const std::string& address) {
    const testing::TempFolder folder;  // A new certificate, but trust in both.
    for (const char* name : {"loadtest.pem", "loadtest.key"}) {
      Replace(folder.File(name), Content(next.File(name)));
    }
    Replace(folder.File("authority.pem"), Content(File("authority.pem")));
    return CanConnect(folder.path(), service, address);
  };
  for (const auto& [service, address] : servers) {
    while (!trusts_new(service, address)) {
    }
  }
  AwaitConnection(**own, next.path(), File("authority.pem"));
  riders->ExpectWell();

  // Each service in turn gets a certificate of the new authority. Between the two writes,
  // certificate and key don't match.
  for (const char* service : {"trip", "location", "dispatch", "loadtest"}) {
    for (const char* ending : {".key", ".pem"}) {
      const std::string name = std::string(service) + ending;
      Replace(File(name), Content(next.File(name)));
      riders->ExpectWell();
    }
  }
  for (const auto& [service, address] : servers) {
    while (!CanConnect(next.path(), service, address)) {
    }
  }

  AwaitConnection(**own, next.path(), next.File("authority.pem"));

  // Nobody trusts the old one.
  Replace(File("authority.pem"), new_authority);
  for (const auto& [service, address] : servers) {
    while (CanConnect(before.path(), service, address)) {
    }
  }
  riders->ExpectWell();
  riders.reset();
  // For the connections that bystanders open from now on.
  ASSERT_THAT(rpc::UseDevelopmentAuthority(system_->authority()), IsOk());
  bystanders.ExpectUntouched();
}

}  // namespace
}  // namespace ridestream::e2e
