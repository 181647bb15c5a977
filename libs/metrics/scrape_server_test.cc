#include "libs/metrics/scrape_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/metrics/testing/scrape.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::metrics {
namespace {

using namespace std::chrono_literals;
using ridestream::testing::IsOk;
using ridestream::testing::StatusIs;

/// A client that sends exactly what the test gives it.
class Client {
 public:
  explicit Client(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(std::string_view bytes) const {
    EXPECT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// Reads until the server closes.
  std::string ReadAll() const {
    std::string all;
    char bytes[4096];
    ssize_t count = 0;
    while ((count = recv(fd_, bytes, sizeof(bytes), 0)) > 0) {
      all.append(bytes, static_cast<std::size_t>(count));
    }
    EXPECT_TRUE(count == 0 || errno == ECONNRESET) << "nothing came for 30 s";
    return all;
  }

 private:
  const int fd_;
};

class ScrapeServerTest : public ::testing::Test {
 protected:
  void Start(ScrapeServer::Limits limits, std::string body = "up 1\n") {
    auto server = ScrapeServer::Start({"127.0.0.1", 0}, limits, [body](std::string_view accept) {
      return ScrapeServer::Page{"text/x-test", accept.empty() ? body : std::string(accept)};
    });
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
  }
  absl::StatusOr<std::string> Get(const std::string& path) const {
    return testing::HttpGet("127.0.0.1:" + std::to_string(server_->port()), path);
  }

  std::unique_ptr<ScrapeServer> server_;
};

TEST_F(ScrapeServerTest, AnswersWhileMoreThanItsConnectionsAreSilent) {
  Start({.connections = 32, .patience = 1h});
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 200; ++i) {
    silent.push_back(std::make_unique<Client>(server_->port()));
    if (i % 2 == 0) silent.back()->Send("GET /metr");
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*Get("/metrics"), "up 1\n");
}

TEST_F(ScrapeServerTest, AnswersWhileOthersReadNothing) {
  Start({.connections = 32, .patience = 1h}, std::string(8 << 20, 'x'));
  std::vector<std::unique_ptr<Client>> unread;
  for (int i = 0; i < 40; ++i) {
    unread.push_back(std::make_unique<Client>(server_->port()));
    unread.back()->Send("GET /metrics HTTP/1.1\r\n\r\n");
  }
  EXPECT_EQ(Get("/metrics")->size(), std::size_t{8} << 20);
}

TEST_F(ScrapeServerTest, ClosesASilentConnection) {
  Start({.connections = 32, .patience = 1s});
  const Client silent(server_->port());
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_EQ(*Get("/metrics"), "up 1\n");
}

TEST_F(ScrapeServerTest, RefusesOtherRequests) {
  Start({});
  EXPECT_THAT(Get("/"), StatusIs(absl::StatusCode::kInternal, "404"));
  EXPECT_THAT(Get("/metricsx"), StatusIs(absl::StatusCode::kInternal, "404"));
  EXPECT_EQ(*Get("/metrics?x=y"), "up 1\n");
  const Client post(server_->port());
  post.Send("POST /metrics HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(post.ReadAll().starts_with("HTTP/1.1 405 "));
  const Client endless(server_->port());
  endless.Send(std::string(9 << 10, 'x'));
  EXPECT_TRUE(endless.ReadAll().starts_with("HTTP/1.1 431 "));
}

TEST_F(ScrapeServerTest, PassesOnWhatTheClientAccepts) {
  Start({});
  const Client client(server_->port());
  client.Send("GET /metrics HTTP/1.1\r\nACCEPT: a/b;q=0.5\r\nx-accept: c/d\r\nAccept:e/f\r\n\r\n");
  const std::string answer = client.ReadAll();
  EXPECT_TRUE(answer.ends_with("\r\n\r\n a/b;q=0.5,e/f")) << answer;
  EXPECT_NE(answer.find("content-type: text/x-test\r\n"), std::string::npos) << answer;
}

}  // namespace
}  // namespace ridestream::metrics
