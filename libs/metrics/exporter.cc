#include "libs/metrics/exporter.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "libs/base/mutex.h"
#include "prometheus/exposer.h"

namespace ridestream::metrics {
namespace {

constexpr char kOff[] = "off";

/// Of "HOST:PORT"; empty when it isn't that.
std::string HostOf(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  int port = -1;
  if (colon == std::string::npos || listen.find(',') != std::string::npos ||
      !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port < 0 || port > 65'535) {
    return "";
  }
  return listen.substr(0, colon);
}

/// Connects to a server on this machine and hangs up.
void Knock(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &hints, &found) != 0) return;
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0) {
    // Whether it is answered doesn't matter: the next knock comes soon.
    (void)connect(fd, found->ai_addr, found->ai_addrlen);
    close(fd);
  }
  freeaddrinfo(found);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Exporter>> Exporter::Start(
    const std::string& listen, std::vector<std::shared_ptr<prometheus::Collectable>> metrics) {
  if (listen == kOff) {
    return std::unique_ptr<Exporter>(new Exporter(kOff, std::move(metrics), nullptr));
  }
  const std::string host = HostOf(listen);
  if (host.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("--metrics_listen={}: must be HOST:PORT, e.g. 127.0.0.1:7101, or off", listen));
  }
  try {
    // One scraper is usual; a client that sends nothing holds a thread for 5 s.
    auto exposer = std::make_unique<prometheus::Exposer>(std::vector<std::string>{
        "listening_ports", listen, "num_threads", "2", "request_timeout_ms", "5000"});
    for (const auto& source : metrics) exposer->RegisterCollectable(source);
    std::string address = fmt::format("{}:{}", host, exposer->GetListeningPorts().at(0));
    return std::unique_ptr<Exporter>(
        new Exporter(std::move(address), std::move(metrics), std::move(exposer)));
  } catch (const std::exception& error) {
    return absl::UnavailableError(fmt::format(
        "--metrics_listen={}: can't be served: is the port in use, or the host not a numeric "
        "address of this machine? ({})",
        listen, error.what()));
  }
}

Exporter::Exporter(std::string address,
                   std::vector<std::shared_ptr<prometheus::Collectable>> metrics,
                   std::unique_ptr<prometheus::Exposer> exposer)
    : address_(std::move(address)), metrics_(std::move(metrics)), exposer_(std::move(exposer)) {}

/// The exposer's accepting thread looks only every two seconds whether it shall end, or when
/// somebody connects; so we do.
Exporter::~Exporter() {
  if (exposer_ == nullptr) return;
  Mutex mu;
  CondVar changed;
  bool ended = false;
  std::thread ender([&] {
    exposer_.reset();
    MutexLock lock(mu);
    ended = true;
    changed.Signal();
  });
  {
    MutexLock lock(mu);
    while (!ended) {
      Knock(address_);
      changed.WaitFor(mu, std::chrono::milliseconds(5));
    }
  }
  ender.join();
}

}  // namespace ridestream::metrics
