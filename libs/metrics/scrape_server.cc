#include "libs/metrics/scrape_server.h"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ridestream::metrics {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kPlainText = "text/plain; charset=utf-8";
constexpr std::size_t kMaxRequestBytes = 8 << 10;
// Pause when the process has no descriptor left and no connection that could be closed.
constexpr std::chrono::milliseconds kAcceptPause{100};

std::string Response(std::string_view status, std::string_view body,
                     std::string_view content_type = kPlainText) {
  return fmt::format(
      "HTTP/1.1 {}\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}",
      status, content_type, body.size(), body);
}

/// The values of all headers `Accept`, as one list.
std::string AcceptOf(std::string_view request) {
  constexpr std::string_view kName = "accept:";
  std::string accept;
  for (const absl::string_view line :
       absl::StrSplit(absl::string_view(request.data(), request.size()), absl::ByString("\r\n"))) {
    if (!absl::StartsWithIgnoreCase(line, {kName.data(), kName.size()})) continue;
    absl::StrAppend(&accept, accept.empty() ? "" : ",", line.substr(kName.size()));
  }
  return accept;
}

int PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  char service[NI_MAXSERV];
  const int error = getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, nullptr, 0,
                                service, sizeof(service), NI_NUMERICSERV);
  return error == 0 ? std::atoi(service) : 0;
}

}  // namespace

struct ScrapeServer::Connection {
  Connection(int fd_in, SteadyClock::time_point end_in) : fd(fd_in), end(end_in) {}
  ~Connection() { close(fd); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const int fd;
  const SteadyClock::time_point end;
  std::string request;
  std::string answer;  // Empty until the request is complete.
  std::size_t sent = 0;
};

absl::StatusOr<std::unique_ptr<ScrapeServer>> ScrapeServer::Start(const HostPort& address,
                                                                  Limits limits, Render render) {
  std::unique_ptr<ScrapeServer> server(new ScrapeServer(limits, std::move(render)));
  if (absl::Status status = server->Listen(address); !status.ok()) return status;
  server->thread_ = std::thread([&server = *server] { server.Run(); });
  return server;
}

ScrapeServer::ScrapeServer(Limits limits, Render render)
    : limits_(limits), render_(std::move(render)) {}

ScrapeServer::~ScrapeServer() {
  if (thread_.joinable()) {
    eventfd_write(stop_, 1);
    thread_.join();
  }
  for (const int fd : {listener_, stop_}) {
    if (fd >= 0) close(fd);
  }
}

absl::Status ScrapeServer::Listen(const HostPort& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error =
          getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
      error != 0) {
    return absl::UnavailableError(gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> resolved(found, freeaddrinfo);
  stop_ = eventfd(0, EFD_CLOEXEC);
  listener_ = socket(resolved->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  if (stop_ < 0 || listener_ < 0 ||
      setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
      bind(listener_, resolved->ai_addr, resolved->ai_addrlen) != 0 ||
      listen(listener_, SOMAXCONN) != 0) {
    return absl::UnavailableError(std::strerror(errno));
  }
  port_ = PortOf(listener_);
  return absl::OkStatus();
}

void ScrapeServer::Run() {
  bool accepting = true;
  while (true) {
    std::vector<pollfd> polled = {{stop_, POLLIN, 0}, {accepting ? listener_ : -1, POLLIN, 0}};
    auto wait = accepting ? std::chrono::milliseconds(-1) : kAcceptPause;
    for (const auto& connection : connections_) {
      const short events = connection->answer.empty() ? POLLIN : POLLOUT;
      polled.push_back({connection->fd, events, 0});
    }
    // Connections end in the order in which they came.
    if (!connections_.empty() && accepting) {
      wait = std::max(std::chrono::milliseconds(0),
                      std::chrono::ceil<std::chrono::milliseconds>(connections_.front()->end -
                                                                   SteadyClock::now()));
    }
    const int ready = poll(polled.data(), polled.size(), static_cast<int>(wait.count()));
    if (ready < 0 && errno != EINTR) return;
    if (polled[0].revents != 0) return;
    const auto now = SteadyClock::now();
    std::size_t i = 2;
    std::erase_if(connections_, [&](const auto& connection) {
      const bool can = ready > 0 && polled[i++].revents != 0;
      return connection->end <= now || (can && !Serve(*connection));
    });
    accepting = true;
    if (ready > 0 && polled[1].revents != 0) {
      Accept();
      accepting = errno != EMFILE && errno != ENFILE;
    }
  }
}

/// Leaves the reason in errno if no further connection could be accepted.
void ScrapeServer::Accept() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    const bool no_file = fd < 0 && (errno == EMFILE || errno == ENFILE);
    if (fd < 0 && !no_file) {
      errno = EAGAIN;
      return;
    }
    if (no_file && connections_.empty()) return;
    if (no_file || connections_.size() >= limits_.connections) {
      connections_.erase(connections_.begin());
    }
    if (no_file) continue;
    connections_.push_back(std::make_unique<Connection>(fd, SteadyClock::now() + limits_.patience));
    // Scrapers send their request at once, so it is answered before a further connection can
    // displace this one.
    if (!Serve(*connections_.back())) connections_.pop_back();
  }
}

bool ScrapeServer::Serve(Connection& connection) const {
  while (connection.answer.empty()) {
    char bytes[4096];
    const ssize_t received = recv(connection.fd, bytes, sizeof(bytes), 0);
    if (received < 0) return errno == EAGAIN || errno == EINTR;
    if (received == 0) return false;
    connection.request.append(bytes, static_cast<std::size_t>(received));
    if (connection.request.find("\r\n\r\n") != std::string::npos) {
      connection.answer = Answer(connection.request);
    } else if (connection.request.size() > kMaxRequestBytes) {
      connection.answer = Response("431 Request Header Fields Too Large", "too long\n");
    }
  }
  while (connection.sent < connection.answer.size()) {
    const ssize_t sent = send(connection.fd, connection.answer.data() + connection.sent,
                              connection.answer.size() - connection.sent, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    connection.sent += static_cast<std::size_t>(sent);
  }
  return false;
}

std::string ScrapeServer::Answer(const std::string& request) const {
  const std::string_view line = std::string_view(request).substr(0, request.find("\r\n"));
  if (!line.starts_with("GET ")) return Response("405 Method Not Allowed", "only GET\n");
  const std::string_view target = line.substr(4, line.find(' ', 4) - 4);
  if (target.substr(0, target.find('?')) != "/metrics") {
    return Response("404 Not Found", "only /metrics\n");
  }
  const Page page = render_(AcceptOf(request));
  return Response("200 OK", page.body, page.content_type);
}

}  // namespace ridestream::metrics
