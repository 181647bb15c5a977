#include "tests/chaos/gate.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "libs/base/host_port.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::chaos {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using Wall = std::chrono::steady_clock;

/// A listening socket whose connections the test accepts, and a gate before it.
class GateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto gate = Gate::Open("127.0.0.1:" + std::to_string(service_.local_endpoint().port()));
    ASSERT_THAT(gate, testing::IsOk());
    gate_ = *std::move(gate);
    client_.connect({asio::ip::address_v4::loopback(), ParseHostPort(gate_->address())->port});
    server_ = service_.accept();
  }
  static std::string Read(tcp::socket& socket, std::size_t size) {
    std::string bytes(size, '\0');
    boost::system::error_code error;
    bytes.resize(asio::read(socket, asio::buffer(bytes), error));
    return bytes;
  }
  static boost::system::error_code ReadError(tcp::socket& socket) {
    std::array<char, 1> byte;
    boost::system::error_code error;
    asio::read(socket, asio::buffer(byte), error);
    return error;
  }

  asio::io_context context_;
  tcp::acceptor service_{context_, {asio::ip::address_v4::loopback(), 0}};
  std::unique_ptr<Gate> gate_;
  tcp::socket client_{context_};
  tcp::socket server_{context_};
};

TEST_F(GateTest, CarriesBytesBothWaysAndTheEnd) {
  const std::string large(1'000'000, 'x');
  std::thread writer([&] {
    asio::write(client_, asio::buffer(large));
    client_.shutdown(tcp::socket::shutdown_send);
  });
  EXPECT_EQ(Read(server_, large.size()), large);
  writer.join();
  EXPECT_EQ(ReadError(server_), asio::error::eof);
  asio::write(server_, asio::buffer("still", 5));
  server_.close();
  EXPECT_EQ(Read(client_, 5), "still");
  EXPECT_EQ(ReadError(client_), asio::error::eof);
}

TEST_F(GateTest, ATapSeesWhatEachSideSendsBeforeTheOtherGetsIt) {
  // Used by the gate's thread only, until it has ended.
  std::map<std::pair<int, bool>, std::string> seen;
  auto tapped = Gate::Open("127.0.0.1:" + std::to_string(service_.local_endpoint().port()),
                           [&](int connection, bool from_client, std::string_view bytes) {
                             seen[{connection, from_client}] += bytes;
                           });
  ASSERT_THAT(tapped, testing::IsOk());
  const std::uint16_t port = ParseHostPort((*tapped)->address())->port;
  for (const std::string number : {"1", "2"}) {
    tcp::socket client(context_);
    client.connect({asio::ip::address_v4::loopback(), port});
    tcp::socket server = service_.accept();
    asio::write(client, asio::buffer("up" + number));
    EXPECT_EQ(Read(server, 3), "up" + number);
    asio::write(server, asio::buffer("down" + number));
    EXPECT_EQ(Read(client, 5), "down" + number);
  }
  tapped->reset();
  const std::map<std::pair<int, bool>, std::string> expected = {
      {{1, true}, "up1"}, {{1, false}, "down1"}, {{2, true}, "up2"}, {{2, false}, "down2"}};
  EXPECT_EQ(seen, expected);
}

TEST_F(GateTest, ACutResetsBothEnds) {
  EXPECT_EQ(gate_->Cut(), 1u);
  EXPECT_EQ(ReadError(client_), asio::error::connection_reset);
  EXPECT_EQ(ReadError(server_), asio::error::connection_reset);
  EXPECT_EQ(gate_->connections(), 0u);
}

TEST_F(GateTest, AServiceThatHasEndedResetsTheClient) {
  service_.close();
  tcp::socket late(context_);
  late.connect(client_.remote_endpoint());
  EXPECT_EQ(ReadError(late), asio::error::connection_reset);
}

TEST_F(GateTest, BytesTakeAtLeastTheDelay) {
  const auto began = Wall::now();
  gate_->Shape({.delay = 500ms});
  asio::write(client_, asio::buffer("ping", 4));
  EXPECT_EQ(Read(server_, 4), "ping");
  EXPECT_GE(Wall::now() - began, 500ms);

  gate_->Shape({.delay = 1h});
  asio::write(client_, asio::buffer("ping", 4));
  gate_->Shape({});
  EXPECT_EQ(Read(server_, 4), "ping") << "no longer than the delay lasts";
}

TEST_F(GateTest, ThrottlesBytesUntilTheLimitIsLifted) {
  const std::string bytes(30'000, 'x');
  const auto began = Wall::now();
  gate_->Shape({.bytes_per_s = 100'000});
  asio::write(client_, asio::buffer(bytes));
  EXPECT_EQ(Read(server_, bytes.size()), bytes);
  EXPECT_GE(Wall::now() - began, 290ms);

  gate_->Shape({.bytes_per_s = 1});  // Hours.
  asio::write(client_, asio::buffer(bytes));
  gate_->Shape({});
  EXPECT_EQ(Read(server_, bytes.size()), bytes);
}

TEST_F(GateTest, ASilencedConnectionStaysOpenAndCarriesNothing) {
  EXPECT_EQ(gate_->Silence(), 1u);
  asio::write(client_, asio::buffer("lost", 4));
  asio::write(server_, asio::buffer("lost", 4));
  server_.close();  // The end isn't forwarded.
  // A new connection works. When its bytes have arrived, the lost bytes would have arrived as well.
  tcp::socket other(context_);
  other.connect(client_.remote_endpoint());
  tcp::socket other_server = service_.accept();
  asio::write(other_server, asio::buffer("new", 3));
  EXPECT_EQ(Read(other, 3), "new");
  EXPECT_EQ(client_.available(), 0u);
  EXPECT_EQ(gate_->connections(), 2u);
  client_.close();  // Both ends have closed, so the connection is forgotten.
  while (gate_->connections() > 1) std::this_thread::yield();
}

TEST(GateOpenTest, InvalidAddressesAreRefused) {
  for (const char* target : {"", "localhost:1", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:x"}) {
    EXPECT_THAT(Gate::Open(target),
                testing::StatusIs(absl::StatusCode::kInvalidArgument, "host:port"))
        << target;
  }
}

}  // namespace
}  // namespace ridestream::chaos
