#include "libs/rpc/acceptor.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "libs/base/peer_address.h"
#include "libs/rpc/listener.h"
#include "libs/service/service.h"

namespace ridestream::rpc {
namespace {

/// Pause when the process is out of descriptors or memory.
constexpr int kPauseMs = 100;
/// Connections accepted from one socket before the others are served.
constexpr int kBatch = 64;

std::string ErrorText(std::string_view what, int error) {
  return fmt::format("{}: {}", what, std::strerror(error));
}

/// Whether the peer has sent bytes that can be read.
bool HasSpoken(const Descriptor& connection) {
  char byte = 0;
  return recv(connection.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Listen(Options options) {
  absl::StatusOr<std::vector<Descriptor>> listeners = ListenOn(options.address);
  if (!listeners.ok()) return listeners.status();
  Descriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wake.get() < 0) return absl::UnavailableError(ErrorText("can't make an eventfd", errno));
  return std::unique_ptr<Acceptor>(
      new Acceptor(std::move(options), *std::move(listeners), std::move(wake)));
}

Acceptor::Acceptor(Options options, std::vector<Descriptor> listeners, Descriptor wake)
    : options_(std::move(options)),
      listeners_(std::move(listeners)),
      wake_(std::move(wake)),
      own_address_(ReachableAddress(listeners_.front())) {}

int Acceptor::port() const { return PortOf(own_address_); }

Acceptor::~Acceptor() { Stop(); }

void Acceptor::Start(OnConnection on_connection, OnConnection on_own) {
  on_connection_ = std::move(on_connection);
  on_own_ = on_own != nullptr ? std::move(on_own) : on_connection_;
  thread_ = std::thread([this] { Run(); });
}

void Acceptor::Stop() {
  if (thread_.joinable()) {
    eventfd_write(wake_.get(), 1);
    thread_.join();
  }
  listeners_.clear();
  silent_.clear();
}

absl::StatusOr<Descriptor> Acceptor::ConnectToSelf(std::chrono::milliseconds timeout) {
  constexpr std::string_view kWhat = "can't connect to the own port";
  Descriptor probe(socket(own_address_.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_storage from = own_address_;
  SetPort(from, 0);
  const socklen_t size = SizeOf(own_address_);
  if (probe.get() < 0 || bind(probe.get(), reinterpret_cast<sockaddr*>(&from), size) != 0) {
    return absl::UnavailableError(ErrorText(kWhat, errno));
  }
  {
    MutexLock lock(mu_);
    probe_address_ = LocalAddress(probe);
  }
  const auto* to = reinterpret_cast<const sockaddr*>(&own_address_);
  if (connect(probe.get(), to, size) == 0) return probe;
  if (errno != EINPROGRESS) return absl::UnavailableError(ErrorText(kWhat, errno));
  pollfd connected{probe.get(), POLLOUT, 0};
  if (poll(&connected, 1, static_cast<int>(timeout.count())) != 1) {
    return absl::DeadlineExceededError(fmt::format("{} in time", kWhat));
  }
  int error = 0;
  socklen_t error_size = sizeof(error);
  (void)getsockopt(probe.get(), SOL_SOCKET, SO_ERROR, &error, &error_size);
  if (error != 0) return absl::UnavailableError(ErrorText(kWhat, error));
  return probe;
}

bool Acceptor::IsOwn(const sockaddr_storage& peer) {
  MutexLock lock(mu_);
  return peer.ss_family == probe_address_.ss_family &&
         std::memcmp(&peer, &probe_address_, SizeOf(peer)) == 0;
}

void Acceptor::Run() {
  bool pause = false;
  while (true) {
    std::vector<pollfd> sources{{wake_.get(), POLLIN, 0}};
    for (const Silent& silent : silent_) sources.push_back({silent.connection.get(), POLLIN, 0});
    const std::size_t first_listener = sources.size();
    for (const Descriptor& listener : listeners_) sources.push_back({listener.get(), POLLIN, 0});
    const int ready = poll(sources.data(), pause ? first_listener : sources.size(),
                           pause ? kPauseMs : MillisUntilNextDeadline());
    if (sources[0].revents != 0) return;
    pause = ready < 0 && errno != EINTR;
    if (ready > 0) HandOverSpeaking({sources.data() + 1, sources.data() + first_listener});
    CloseOverdue();
    for (std::size_t i = first_listener; ready > 0 && i < sources.size(); ++i) {
      if (sources[i].revents != 0 && !AcceptFrom(sources[i].fd)) pause = true;
    }
  }
}

int Acceptor::MillisUntilNextDeadline() const {
  if (silent_.empty()) return -1;
  const auto left = silent_.front().deadline - std::chrono::steady_clock::now();
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::max<std::int64_t>(0, millis));
}

void Acceptor::CloseOverdue() {
  const auto now = std::chrono::steady_clock::now();
  while (!silent_.empty() && silent_.front().deadline <= now) silent_.pop_front();
}

void Acceptor::HandOverSpeaking(const std::vector<pollfd>& states) {
  std::deque<Silent> all;
  silent_.swap(all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (states[i].revents == 0) {
      silent_.push_back(std::move(all[i]));
    } else if (HasSpoken(all[i].connection)) {
      HandOver(std::move(all[i].connection), all[i].address);
    }
  }
}

bool Acceptor::AcceptFrom(int listener) {
  for (int i = 0; i < kBatch; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    Descriptor connection(
        accept4(listener, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection.get() >= 0) {
      Receive(std::move(connection), peer);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      if (silent_.empty()) return false;
      silent_.pop_front();
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return true;  // No caller waits any more, or this connection has already failed.
    }
  }
  return true;
}

void Acceptor::Receive(Descriptor connection, const sockaddr_storage& peer) {
  if (IsOwn(peer)) return on_own_(connection.Release());
  std::string address = ToPeerAddress(peer).name;
  if (HasSpoken(connection)) return HandOver(std::move(connection), address);
  silent_.push_back({std::move(connection), std::move(address),
                     std::chrono::steady_clock::now() + options_.patience});
  if (silent_.size() > options_.connections->limits().silent) silent_.pop_front();
}

void Acceptor::HandOver(Descriptor connection, const std::string& address) {
  if (options_.connections->TryAdd(connection.get(), address)) {
    return on_connection_(connection.Release());
  }
  const std::uint64_t refused = options_.connections->refused();
  if (std::has_single_bit(refused)) {  // Logged at powers of two only, which keeps the log short.
    service::Log(service::Level::kWarning, "connections_refused",
                 {{"times", std::to_string(refused)}});
  }
}

}  // namespace ridestream::rpc
