#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/timer_queue.h"
#include "libs/identity/reloaded_file.h"

namespace ridestream::gateway {

/// The certificate by which browsers know the gateway: a PEM file with the chain and its private
/// key, as HAProxy takes it, so that both are replaced at once. It is read again every second.
/// Connections from then on use what it says. A file that can't be used leaves the last good one in
/// use, and the log says so. Thread-safe.
class HttpsCertificate {
 public:
  /// TLS 1.2 or newer with this certificate; see stream.h.
  struct Context;

  /// An error that names the file when it is missing, holds no certificate or no key, or when they
  /// don't fit each other.
  static absl::StatusOr<std::unique_ptr<HttpsCertificate>> Load(
      const std::string& path, std::chrono::milliseconds reload_every = std::chrono::seconds(1));

  std::shared_ptr<const Context> context() const { return file_->value(); }
  /// Reads the file now.
  void Reload() { file_->Reload(); }

 private:
  using File = identity::ReloadedFile<Context>;
  HttpsCertificate(std::unique_ptr<File> file, std::chrono::milliseconds reload_every)
      : file_(std::move(file)), reload_every_(reload_every) {}
  void ReloadLater();

  const std::unique_ptr<File> file_;
  const std::chrono::milliseconds reload_every_;
  TimerQueue timer_;  // Last: what it calls uses the others.
};

}  // namespace ridestream::gateway
