#include "libs/process/free_port.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <random>

namespace ridestream::process {
namespace {

bool IsFree(int port) {
  const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = bind(file, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(file);
  return bound;
}

}  // namespace

int FreePort() {
  constexpr int kFirst = 20'000;
  constexpr unsigned kCount = 12'000;
  std::random_device random;
  while (true) {
    const int port = kFirst + static_cast<int>(random() % kCount);
    if (IsFree(port)) return port;
  }
}

}  // namespace ridestream::process
