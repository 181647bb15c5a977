#include "tests/door/raw_http2.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "libs/base/host_port.h"

namespace ridestream::door {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// HPACK (RFC 7541): indexed fields of the static table, and the first bytes of literals without
// indexing.
constexpr char kMethodPost = '\x83';
constexpr char kSchemeHttp = '\x86';
constexpr char kLiteralAuthority = '\x01';
constexpr char kLiteralPath = '\x04';
constexpr char kLiteralNewName = '\x00';

/// An integer of HPACK with a prefix of seven bits (section 5.1).
std::string Length(std::size_t value) {
  constexpr std::size_t kPrefix = 127;
  if (value < kPrefix) return std::string(1, static_cast<char>(value));
  std::string bytes(1, static_cast<char>(kPrefix));
  for (value -= kPrefix; value >= 128; value /= 128) {
    bytes += static_cast<char>(static_cast<unsigned char>(value % 128 + 128));
  }
  return bytes + static_cast<char>(value);
}

std::string Text(std::string_view text) { return Length(text.size()) + std::string(text); }

sockaddr_in Address(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

}  // namespace

std::string Frame(FrameType type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload) {
  std::string frame;
  for (const unsigned shift : {16U, 8U, 0U}) {
    frame += static_cast<char>((payload.size() >> shift) & 0xff);
  }
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    frame += static_cast<char>((stream >> shift) & 0xff);
  }
  frame += payload;
  return frame;
}

std::string RequestHeaders(std::string_view path, std::size_t padding) {
  std::string block = {kMethodPost, kSchemeHttp};
  block += kLiteralPath + Text(path);
  block += kLiteralAuthority + Text("ridestream");
  block += kLiteralNewName + Text("content-type") + Text("application/grpc");
  block += kLiteralNewName + Text("te") + Text("trailers");
  if (padding > 0) block += kLiteralNewName + Text("padding") + Text(std::string(padding, 'p'));
  return block;
}

RawHttp2::RawHttp2(const std::string& address, const std::string& from)
    : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_in local = Address(from, 0);
  const HostPort server = ParseHostPort(address).value();
  const sockaddr_in remote = Address(server.host, server.port);
  closed_ = bind(socket_, reinterpret_cast<const sockaddr*>(&local), sizeof(local)) != 0 ||
            connect(socket_, reinterpret_cast<const sockaddr*>(&remote), sizeof(remote)) != 0;
  Send(std::string(kPreface) + Frame(FrameType::kSettings, 0, 0, ""));
}

RawHttp2::~RawHttp2() { close(socket_); }

bool RawHttp2::Send(std::string_view bytes, std::chrono::milliseconds patience) {
  while (!closed_ && !bytes.empty()) {
    const ssize_t taken = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken > 0) {
      sent_ += static_cast<std::size_t>(taken);
      bytes.remove_prefix(static_cast<std::size_t>(taken));
    } else if (errno == EAGAIN) {
      pollfd writable{.fd = socket_, .events = POLLOUT, .revents = 0};
      if (poll(&writable, 1, static_cast<int>(patience.count())) == 0) return false;
    } else {
      closed_ = true;
    }
  }
  return !closed_;
}

bool RawHttp2::Skim() {
  std::array<char, 16'384> buffer;
  while (!closed_) {
    const ssize_t got = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) closed_ = true;
  }
  return !closed_;
}

bool RawHttp2::AwaitClose(std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (Skim()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || poll(&readable, 1, static_cast<int>(left.count())) == 0) return false;
  }
  return true;
}

}  // namespace ridestream::door
