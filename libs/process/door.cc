#include "libs/process/door.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <utility>

namespace ridestream::process {
namespace {

/// HAProxy reads the certificate and its key from one file, which only the owner may read.
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

/// The words of HAProxy's `server` line that reach a service.
std::string ServerWords(const Door::Options& options, const std::string& service) {
  if (options.authority.empty()) return "";
  return fmt::format(
      "ssl crt {}/door.pem ca-file {}/authority.pem verify required verifyhost {} alpn h2",
      options.folder, options.authority, service);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Door>> Door::Start(const Options& options) {
  std::string bind_words = "proto h2";
  if (!options.authority.empty()) {
    const std::string certificate = options.folder + "/door.pem";
    if (absl::Status status = WriteCertificate(options.authority, certificate); !status.ok()) {
      return status;
    }
    if (options.tls) bind_words = fmt::format("ssl crt {} alpn h2", certificate);
  }
  auto proxy = HaProxy::Start(
      {.configs = {options.config},
       .folder = options.folder,
       .name = "door",
       .environment = {{"DOOR_TRIP", options.trip},
                       {"DOOR_DISPATCH", options.dispatch},
                       {"DOOR_TRIP_TLS", ServerWords(options, "trip")},
                       {"DOOR_DISPATCH_TLS", ServerWords(options, "dispatch")},
                       {"DOOR_REQUESTS", std::to_string(options.max_requests)},
                       {"DOOR_CONNECTIONS", std::to_string(options.max_connections)}},
       .port = options.port,
       .bind_variable = "DOOR_BIND",
       .bind_words = bind_words});
  if (!proxy.ok()) return proxy.status();
  return std::unique_ptr<Door>(new Door(*std::move(proxy)));
}

}  // namespace ridestream::process
