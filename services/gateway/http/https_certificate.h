#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/timer_queue.h"
#include "libs/identity/reloaded_file.h"

namespace ridestream::gateway {

/// The gateway's certificate for browsers: a PEM file with the chain and its private key, as
/// HAProxy reads it, so that both are replaced at once. The file is read again every second, and
/// new connections use its content. If it can't be used, the last usable content stays in use, and
/// the log has the reason. Thread-safe.
class HttpsCertificate {
 public:
  /// TLS 1.2 or newer with this certificate; see stream.h.
  struct Context;

  /// An error names the file if it is missing, has no certificate or no key, or if the two don't
  /// match.
  static absl::StatusOr<std::unique_ptr<HttpsCertificate>> Load(
      const std::string& path, std::chrono::milliseconds reload_every = std::chrono::seconds(1));

  std::shared_ptr<const Context> context() const { return file_->value(); }
  const identity::FileHealth& file() const { return *file_; }
  /// Reads the file now.
  void Reload() { file_->Reload(); }

 private:
  using File = identity::ReloadedFile<Context>;
  HttpsCertificate(std::unique_ptr<File> file, std::chrono::milliseconds reload_every)
      : file_(std::move(file)), reload_every_(reload_every) {}
  void ReloadLater();

  const std::unique_ptr<File> file_;
  const std::chrono::milliseconds reload_every_;
  TimerQueue timer_;  // Last: its callbacks use the other members.
};

}  // namespace ridestream::gateway
