#include "services/gateway/http/http_server.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <cstring>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libs/base/host_port.h"
#include "libs/base/peer_address.h"
#include "services/gateway/http/asio.h"
#include "services/gateway/http/body_bytes.h"
#include "services/gateway/http/http_connection.h"
#include "services/gateway/http/peers.h"
#include "services/gateway/http/stream.h"

namespace ridestream::gateway {
namespace {

// This many connections beyond the limit get the error "too many". Further ones are closed without
// a response.
constexpr std::size_t kMaxRefusing = 64;
// Refused connections are counted under this name, which isn't an address.
constexpr char kRefused[] = "refused";
// Pause before the next attempt if the process has no file descriptor left.
constexpr std::chrono::milliseconds kAcceptPause{100};

absl::StatusOr<Tcp::endpoint> Resolve(net::io_context& io, const std::string& address) {
  const absl::StatusOr<HostPort> where = ParseHostPort(address);
  if (!where.ok()) return where.status();
  ErrorCode error;
  const auto found =
      Tcp::resolver(io).resolve(where->host, std::to_string(where->port),
                                Tcp::resolver::passive | Tcp::resolver::numeric_service, error);
  if (error || found.empty()) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", address, error.message()));
  }
  return found.begin()->endpoint();
}

/// Small responses are sent at once. A peer that disappeared is detected within half a minute, even
/// if nothing is sent to it.
void SetOptions(Tcp::socket& socket) {
  const int fd = socket.native_handle();
  const auto set = [fd](int level, int option, int value) {
    // An option that can't be set only causes a delay.
    static_cast<void>(setsockopt(fd, level, option, &value, sizeof(value)));
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

/// The name under which the connections of a peer are counted.
std::string NameOfPeer(const Tcp::socket& socket) {
  ErrorCode error;
  const Tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return "";
  sockaddr_storage address{};
  std::memcpy(&address, peer.data(), peer.size());
  return ToPeerAddress(address).name;
}

class BeastServer final : public HttpServer {
 public:
  explicit BeastServer(HttpOptions options)
      : options_(std::move(options)),
        acceptor_(net::make_strand(io_)),
        pause_(acceptor_.get_executor()) {}

  ~BeastServer() override {
    Drain(std::chrono::milliseconds(0));
    io_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  absl::Status Listen() {
    const auto endpoint = Resolve(io_, options_.address);
    if (!endpoint.ok()) return endpoint.status();
    ErrorCode error;
    acceptor_.open(endpoint->protocol(), error);
    if (!error) acceptor_.set_option(net::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(*endpoint, error);
    if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
    if (error) {
      return absl::UnavailableError(
          fmt::format("can't listen on {}: {}", options_.address, error.message()));
    }
    port_ = acceptor_.local_endpoint().port();
    net::post(acceptor_.get_executor(), [this] { Accept(); });
    for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { io_.run(); });
    return absl::OkStatus();
  }

  int port() const override { return port_; }
  Stats stats() const override {
    return {.open_connections = peers_.count(),
            .refused_connections = refused_,
            .body_bytes = body_bytes_.used()};
  }

  void Drain(std::chrono::milliseconds grace) override {
    if (std::exchange(drained_, true)) return;
    StopAccepting();
    peers_.StartDrain();
    if (peers_.WaitUntilNone(grace)) return;
    peers_.Cut();
    peers_.WaitUntilNone();
  }

 private:
  /// Returns when no further connection can arrive, so that none outlives the drain.
  void StopAccepting() {
    const std::future<void> closed = net::post(acceptor_.get_executor(), net::use_future([this] {
                                                 ErrorCode ignored;
                                                 acceptor_.close(ignored);
                                               }));
    if (!threads_.empty()) closed.wait();
  }

  /// The acceptor has a strand of its own; each connection gets one.
  void Accept() {
    acceptor_.async_accept(net::make_strand(io_), [this](ErrorCode error, Tcp::socket socket) {
      if (!acceptor_.is_open()) return;
      if (error) {
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([this](ErrorCode) {
          if (acceptor_.is_open()) Accept();
        });
        return;
      }
      Take(std::move(socket));
      Accept();
    });
  }

  void Take(Tcp::socket socket) {
    const std::size_t open = peers_.count() - peers_.CountOf(kRefused);
    const std::string address = NameOfPeer(socket);
    const bool full = open >= options_.limits.connections;
    const bool too_many = peers_.CountOf(address) >= options_.limits.connections_per_address;
    if (full || too_many) {
      ++refused_;
      if (peers_.CountOf(kRefused) >= kMaxRefusing) return;
    }
    SetOptions(socket);
    const auto context =
        options_.certificate == nullptr ? nullptr : options_.certificate->context();
    auto connection = std::make_shared<HttpConnection>(Stream(std::move(socket), context.get()),
                                                       options_, body_bytes_);
    if (full || too_many) {
      connection->Enter(peers_, kRefused);
      connection->Refuse(full ? "too many connections" : "too many connections of your address");
    } else {
      connection->Enter(peers_, address);
      connection->Start();
    }
  }

  const HttpOptions options_;
  Peers peers_;
  BodyBytes body_bytes_{options_.limits.all_body_bytes};
  std::atomic<std::uint64_t> refused_ = 0;
  net::io_context io_;  // What it still holds goes with it, while the above is there.
  // While a connection waits for a call, Asio has no work. This keeps the threads running.
  const net::executor_work_guard<net::io_context::executor_type> keep_running_{io_.get_executor()};
  Tcp::acceptor acceptor_;
  net::steady_timer pause_;
  int port_ = 0;
  bool drained_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(HttpOptions options) {
  auto server = std::make_unique<BeastServer>(std::move(options));
  if (absl::Status status = server->Listen(); !status.ok()) return status;
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace ridestream::gateway
