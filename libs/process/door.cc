#include "libs/process/door.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace ridestream::process {
namespace {

constexpr std::chrono::milliseconds kLookEvery{5};
constexpr std::chrono::seconds kPatience{30};

/// Debian puts it where only root looks.
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

/// HAProxy reads the certificate and its key from one file, which only its owner may read.
absl::Status WriteCertificate(const std::string& authority, const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file >= 0) close(file);
  std::ofstream out(path);
  for (const char* part : {"door.pem", "door.key"}) {
    out << std::ifstream(fmt::format("{}/{}", authority, part)).rdbuf();
  }
  out.close();
  if (out) return absl::OkStatus();
  return absl::PermissionDeniedError(fmt::format("{} can't be written from {}", path, authority));
}

/// How the door reaches a service.
std::string ServerWords(const Door::Options& options, const std::string& service) {
  if (options.authority.empty()) return "";
  return fmt::format(
      "ssl crt {}/door.pem ca-file {}/authority.pem verify required verifyhost {} alpn h2",
      options.folder, options.authority, service);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Door>> Door::Start(const Options& options) {
  const absl::StatusOr<std::string> binary = FindBinary();
  if (!binary.ok()) return binary.status();
  std::string bind_words = "proto h2";
  if (!options.authority.empty()) {
    const std::string certificate = options.folder + "/door.pem";
    if (absl::Status status = WriteCertificate(options.authority, certificate); !status.ok()) {
      return status;
    }
    if (options.tls) bind_words = fmt::format("ssl crt {} alpn h2", certificate);
  }
  std::unique_ptr<Door> door(new Door);
  // HAProxy can't say which port it took. It shares one that we keep with SO_REUSEPORT; as ours
  // doesn't listen, all connections come to HAProxy.
  door->reserved_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(door->reserved_, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  if (bind(door->reserved_, raw, size) != 0 || getsockname(door->reserved_, raw, &size) != 0) {
    return absl::UnavailableError(fmt::format("no port for the door: {}", std::strerror(errno)));
  }
  const std::uint16_t port = ntohs(address.sin_port);
  door->address_ = fmt::format("127.0.0.1:{}", port);
  auto process = ChildProcess::Start(
      {.binary = *binary,
       .arguments = {"-db", "-f", options.config},
       .log_path = options.folder + "/door.log",
       .environment = {{"DOOR_BIND", fmt::format("{} {}", door->address_, bind_words)},
                       {"DOOR_TRIP", options.trip},
                       {"DOOR_DISPATCH", options.dispatch},
                       {"DOOR_TRIP_TLS", ServerWords(options, "trip")},
                       {"DOOR_DISPATCH_TLS", ServerWords(options, "dispatch")},
                       {"DOOR_REQUESTS", std::to_string(options.max_requests)},
                       {"DOOR_CONNECTIONS", std::to_string(options.max_connections)}}});
  if (!process.ok()) return process.status();
  door->process_ = *std::move(process);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!Listens(port)) {
    if (door->process_->HasEnded() || std::chrono::steady_clock::now() > end) {
      return absl::UnavailableError("the door doesn't open: " + door->process_->LogEnd());
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  return door;
}

Door::~Door() {
  if (process_ != nullptr) process_->Stop(SIGTERM);
  if (reserved_ >= 0) close(reserved_);
}

}  // namespace ridestream::process
