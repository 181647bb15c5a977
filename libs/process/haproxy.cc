#include "libs/process/haproxy.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

namespace ridestream::process {
namespace {

constexpr std::chrono::milliseconds kLookEvery{5};
constexpr std::chrono::seconds kPatience{30};

/// Debian installs it in a folder that is only in root's PATH.
absl::StatusOr<std::string> FindBinary() {
  for (const char* path : {"/usr/sbin/haproxy", "/usr/local/sbin/haproxy", "/usr/bin/haproxy"}) {
    if (std::filesystem::exists(path)) return path;
  }
  return absl::NotFoundError("there is no haproxy here (Debian's package haproxy)");
}

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool Listens(std::uint16_t port) {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const bool listens =
      connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(probe);
  return listens;
}

}  // namespace

absl::StatusOr<std::unique_ptr<HaProxy>> HaProxy::Start(const Options& options) {
  const absl::StatusOr<std::string> binary = FindBinary();
  if (!binary.ok()) return binary.status();
  std::unique_ptr<HaProxy> proxy(new HaProxy);
  // HAProxy can't report which port it chose, so it shares a port that we hold with SO_REUSEPORT.
  // Our socket doesn't listen, so all connections go to HAProxy.
  proxy->reserved_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(proxy->reserved_, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes));
  sockaddr_in address = Loopback(options.port);
  socklen_t size = sizeof(address);
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  if (bind(proxy->reserved_, raw, size) != 0 || getsockname(proxy->reserved_, raw, &size) != 0) {
    return absl::UnavailableError(fmt::format(
        "{} can't have {}: {}", options.name,
        options.port == 0 ? "a port" : fmt::format("port {}", options.port), std::strerror(errno)));
  }
  const std::uint16_t port = ntohs(address.sin_port);
  proxy->address_ = fmt::format("127.0.0.1:{}", port);
  ChildProcess::Options child{.binary = *binary,
                              .arguments = {"-db"},
                              .log_path = fmt::format("{}/{}.log", options.folder, options.name),
                              .environment = options.environment};
  for (const std::string& config : options.configs) {
    child.arguments.insert(child.arguments.end(), {"-f", config});
  }
  child.environment[options.bind_variable] =
      fmt::format("{} {}", proxy->address_, options.bind_words);
  auto process = ChildProcess::Start(child);
  if (!process.ok()) return process.status();
  proxy->process_ = *std::move(process);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!Listens(port)) {
    if (proxy->process_->HasEnded() || std::chrono::steady_clock::now() > end) {
      return absl::UnavailableError(
          fmt::format("{} doesn't listen: {}", options.name, proxy->process_->LogEnd()));
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  return proxy;
}

HaProxy::~HaProxy() {
  if (process_ != nullptr) process_->Stop(SIGTERM);
  if (reserved_ >= 0) close(reserved_);
}

}  // namespace ridestream::process
