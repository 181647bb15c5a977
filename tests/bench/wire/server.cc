#include "tests/bench/wire/server.h"

#include <fmt/format.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace ridestream::bench::wire {
namespace {

bool LeadsTo(int descriptor, int port) {
  sockaddr_storage peer = {};
  socklen_t length = sizeof peer;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &length) != 0) return false;
  if (peer.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(peer).sin_port) == port;
  }
  // gRPC reaches IPv4 by sockets of IPv6.
  return peer.ss_family == AF_INET6 &&
         ntohs(reinterpret_cast<const sockaddr_in6&>(peer).sin6_port) == port;
}

}  // namespace

absl::Status PinTo(Core core) {
  // The cores that the benchmark was given, before it pinned itself; children inherit the variable.
  constexpr char kCores[] = "RIDESTREAM_WIRE_CORES";
  std::vector<int> cores;
  if (const char* given = getenv(kCores); given != nullptr) {
    for (const auto text : absl::StrSplit(given, ',')) {
      int number = 0;
      if (!absl::SimpleAtoi(text, &number)) {
        return absl::InvalidArgumentError(fmt::format("{}={} is no list of cores", kCores, given));
      }
      cores.push_back(number);
    }
  } else {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
      return absl::UnavailableError("the cores that this process may use can't be read");
    }
    for (int i = 0; i < CPU_SETSIZE && cores.size() < 2; ++i) {
      if (CPU_ISSET(i, &allowed)) cores.push_back(i);
    }
  }
  if (cores.size() != 2) {
    return absl::FailedPreconditionError(
        "two cores are needed, one for the server and one for the clients");
  }
  setenv(kCores, fmt::format("{},{}", cores[0], cores[1]).c_str(), 1);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(cores[core == Core::kServer ? 0 : 1]), &one);
  if (sched_setaffinity(0, sizeof one, &one) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError("this process can't be pinned to a core");
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Protocol& protocol,
                                                      std::chrono::microseconds offer_every,
                                                      const std::string& folder) {
  auto process = process::ChildProcess::Start(
      {.binary = std::filesystem::read_symlink("/proc/self/exe"),
       .arguments = {"--serve=" + protocol.key,
                     fmt::format("--offer_every_us={}", offer_every.count())},
       .log_path = fmt::format("{}/{}.log", folder, protocol.key)});
  if (!process.ok()) return process.status();
  const auto address = (*process)->WaitUntilServing();
  if (!address.ok()) return address.status();
  int port = 0;
  if (!absl::SimpleAtoi(address->substr(address->rfind(':') + 1), &port)) {
    return absl::InternalError(*address + " has no port");
  }
  return std::unique_ptr<Server>(new Server(*std::move(process), port));
}

absl::StatusOr<std::chrono::nanoseconds> Server::CpuTime() const {
  clockid_t clock;
  timespec time;
  if (clock_getcpuclockid(process_->pid(), &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return absl::UnavailableError("the server has ended: " + process_->LogEnd());
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

absl::StatusOr<std::uint64_t> BytesOnConnectionsTo(int port) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    int descriptor = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &descriptor)) continue;
    if (!LeadsTo(descriptor, port)) continue;
    tcp_info info = {};
    socklen_t length = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
        length < offsetof(tcp_info, tcpi_bytes_sent) + sizeof info.tcpi_bytes_sent) {
      return absl::UnimplementedError("the kernel doesn't count the bytes of a TCP connection");
    }
    bytes += info.tcpi_bytes_sent - info.tcpi_bytes_retrans + info.tcpi_bytes_received;
  }
  return bytes;
}

}  // namespace ridestream::bench::wire
