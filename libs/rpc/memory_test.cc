// How much a server buffers for clients that announce messages and never finish them.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/descriptor.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::rpc {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kMessageBytes = 1 << 20;
constexpr int kStreams = 100;

std::uint32_t BigEndian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

std::string BigEndian32(std::uint32_t value) {
  const std::uint32_t wire = htonl(value);
  std::string bytes(sizeof(wire), '\0');
  std::memcpy(bytes.data(), &wire, sizeof(wire));
  return bytes;
}

// Types of frames.
constexpr char kData = 0;
constexpr char kHeaders = 1;
constexpr char kRstStream = 3;
constexpr char kSettings = 4;
constexpr char kWindowUpdate = 8;

std::string Frame(char type, char flags, std::uint32_t stream, std::string_view payload) {
  return BigEndian32(static_cast<std::uint32_t>(payload.size())).substr(1) + type + flags +
         BigEndian32(stream) + std::string(payload);
}

/// A header as HPACK's literal without indexing; shorter than 127 bytes each.
std::string Header(std::string_view name, std::string_view value) {
  std::string bytes(1, '\0');
  bytes += static_cast<char>(name.size());
  bytes += name;
  bytes += static_cast<char>(value.size());
  return bytes += value;
}

/// An HTTP/2 connection that sends as much of 100 announced messages as the server's flow control
/// allows, but never their last byte.
class Announcer {
 public:
  explicit Announcer(int port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    EXPECT_EQ(connect(socket_.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    const std::string headers = Header(":method", "POST") + Header(":scheme", "http") +
                                Header(":path", "/grpc.health.v1.Health/Check") +
                                Header(":authority", "x") + Header("te", "trailers") +
                                Header("content-type", "application/grpc");
    outgoing_ = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, "");
    constexpr char kEndHeaders = 4;
    for (std::uint32_t i = 0; i < kStreams; ++i) {
      outgoing_ += Frame(kHeaders, kEndHeaders, 2 * i + 1, headers);
      streams_[2 * i + 1] = {};
    }
  }

  /// Returns the number of bytes that the connection sent or received.
  std::size_t Advance() {
    const std::size_t received = Receive();
    if (outgoing_.empty()) FillData();
    const ssize_t sent =
        send(socket_.get(), outgoing_.data(), outgoing_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return received;
    outgoing_.erase(0, static_cast<std::size_t>(sent));
    return received + static_cast<std::size_t>(sent);
  }

 private:
  struct Stream {
    std::int64_t window = 65'535;
    std::uint32_t sent = 0;
  };

  std::size_t Receive() {
    std::array<char, 65'536> bytes;
    const ssize_t received = recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (received <= 0) return 0;
    incoming_.append(bytes.data(), static_cast<std::size_t>(received));
    constexpr std::size_t kHeaderBytes = 9;
    while (incoming_.size() >= kHeaderBytes) {
      const std::string_view all = incoming_;
      const std::size_t size = BigEndian(all.substr(0, 3));
      if (all.size() < kHeaderBytes + size) break;
      OnFrame(all[3], all[4], BigEndian(all.substr(5, 4)), all.substr(kHeaderBytes, size));
      incoming_.erase(0, kHeaderBytes + size);
    }
    return static_cast<std::size_t>(received);
  }

  void OnFrame(char type, char flags, std::uint32_t stream, std::string_view payload) {
    constexpr std::uint32_t kInitialWindow = 4;
    if (type == kWindowUpdate && stream == 0) window_ += BigEndian(payload);
    if (type == kWindowUpdate && streams_.contains(stream)) {
      streams_[stream].window += BigEndian(payload);
    }
    if (type == kRstStream) streams_.erase(stream);
    if (type != kSettings || flags != 0) return;
    for (; payload.size() >= 6; payload.remove_prefix(6)) {
      if (BigEndian(payload.substr(0, 2)) != kInitialWindow) continue;
      const std::int64_t initial = BigEndian(payload.substr(2, 4));
      for (auto& [id, of] : streams_) of.window += initial - initial_window_;
      initial_window_ = initial;
    }
    outgoing_ += Frame(kSettings, 1, 0, "");
  }

  void FillData() {
    for (auto& [id, stream] : streams_) {
      const std::int64_t left = kMessageBytes - 1 - stream.sent;
      const auto size = std::min<std::int64_t>({window_, stream.window, left, 16'384});
      if (size <= 5) continue;
      std::string data(static_cast<std::size_t>(size), 'x');
      if (stream.sent == 0) data.replace(0, 5, std::string(1, '\0') + BigEndian32(kMessageBytes));
      outgoing_ += Frame(kData, 0, id, data);
      window_ -= size;
      stream.window -= size;
      stream.sent += static_cast<std::uint32_t>(size);
    }
  }

  const Descriptor socket_;
  std::string outgoing_;
  std::string incoming_;
  std::map<std::uint32_t, Stream> streams_;
  std::int64_t window_ = 65'535;
  std::int64_t initial_window_ = 65'535;
};

TEST(MemoryTest, UnfinishedMessagesUseBoundedMemory) {
  const auto server = Server::Start({.memory_bytes = 16 << 20});
  ASSERT_THAT(server, testing::IsOk());
  const auto stub = grpc::health::v1::Health::NewStub(
      MakeChannel("127.0.0.1:" + std::to_string((*server)->port())));
  const auto ask = [&] {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    SetTimeout(context, 60s);
    grpc::health::v1::HealthCheckResponse response;
    return FromGrpcStatus(stub->Check(&context, {}, &response));
  };
  EXPECT_THAT(ask(), testing::IsOk());
  const auto heap = [] {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const std::size_t before = heap();
  std::vector<std::unique_ptr<Announcer>> announcers;
  for (int i = 0; i < 8; ++i) announcers.push_back(std::make_unique<Announcer>((*server)->port()));
  std::size_t most = before;
  // The streams have reached the server's bounds when nothing moves for the duration of 200 calls.
  // When memory runs out, gRPC may end any stream, so such a call may fail.
  std::map<absl::StatusCode, int> answers;
  for (int still = 0; still < 200; ++still) {
    for (const auto& announcer : announcers) {
      if (announcer->Advance() > 0) still = 0;
    }
    ++answers[ask().code()];
    most = std::max(most, heap());
  }
  std::printf("%zu MiB held of 800 MiB announced\n", (most - before) >> 20);
  for (const auto& [code, count] : answers) {
    std::printf("%d calls ended %s\n", count, absl::StatusCodeToString(code).c_str());
  }
  EXPECT_LT(most - before, 200u << 20);
  announcers.clear();
  while (!ask().ok()) {  // Until the server has noticed that they are gone.
  }
}

}  // namespace
}  // namespace ridestream::rpc
