#include "tests/bench/http2/bench_server.h"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "libs/rpc/server.h"
#include "libs/rpc/tls_credentials.h"
#include "libs/service/service.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "tests/bench/stream/bare_server.h"

namespace ridestream::bench {
namespace {

using location::v1::WatchAreaResponse;

class LargeStream final : public grpc::ServerWriteReactor<WatchAreaResponse> {
 public:
  LargeStream() {
    message_.add_gone_driver_ids(std::string(kWatchMessageBytes, 'x'));
    StartWrite(&message_);
  }
  void OnWriteDone(bool ok) override {
    if (ok && ++written_ < kWatchMessages) {
      StartWrite(&message_);
    } else {
      Finish(ok ? grpc::Status::OK : grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  WatchAreaResponse message_;
  int written_ = 0;
};

class BareLocation final : public location::v1::LocationService::CallbackService {
 public:
  grpc::ServerUnaryReactor* GetIndexStats(grpc::CallbackServerContext* context,
                                          const location::v1::GetIndexStatsRequest*,
                                          location::v1::GetIndexStatsResponse*) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerWriteReactor<WatchAreaResponse>* WatchArea(
      grpc::CallbackServerContext*, const location::v1::WatchAreaRequest*) override {
    return new LargeStream();
  }
};

absl::StatusOr<std::unique_ptr<rpc::TlsCredentials>> LoadTls(const std::string& authority,
                                                             const std::string& service) {
  return rpc::TlsCredentials::Load({.certificate = fmt::format("{}/{}.pem", authority, service),
                                    .key = fmt::format("{}/{}.key", authority, service),
                                    .authorities = authority + "/authority.pem"});
}

}  // namespace

absl::Status RunBenchServer(const std::string& authority, int max_streams) {
  BareDispatch dispatch;
  BareLocation location;
  rpc::ServerOptions options{.services = {&dispatch, &location},
                             .max_streams_per_connection = max_streams};
  std::unique_ptr<rpc::TlsCredentials> tls;
  if (!authority.empty()) {
    auto loaded = LoadTls(authority, "dispatch");
    if (!loaded.ok()) return loaded.status();
    tls = *std::move(loaded);
    options.credentials = tls->ForServer({"loadtest"});
  }
  auto server = rpc::Server::Start(std::move(options));
  if (!server.ok()) return server.status();
  service::LogServing((*server)->address(), {});
  service::WaitForStopSignal();
  return absl::OkStatus();
}

absl::StatusOr<BenchServer> StartBenchServer(const std::vector<std::string>& flags) {
  std::vector<std::string> arguments = {"--bench_server"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  auto process =
      process::ChildProcess::Start({.binary = std::filesystem::read_symlink("/proc/self/exe"),
                                    .arguments = std::move(arguments),
                                    .log_path = "/dev/null"});
  if (!process.ok()) return process.status();
  const auto address = (*process)->WaitUntilServing();
  if (!address.ok()) return address.status();
  return BenchServer{*std::move(process), *address};
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> BenchCredentials(
    const std::string& authority) {
  if (authority.empty()) return nullptr;
  // Credentials may outlive their loader, and the files don't change.
  const auto tls = LoadTls(authority, "loadtest");
  if (!tls.ok()) return tls.status();
  return (*tls)->ForChannel({"dispatch"});
}

void Print(const std::string& line) { std::cout << line << std::endl; }

}  // namespace ridestream::bench
