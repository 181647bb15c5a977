// The HTTP server over TLS.

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "libs/identity/certificates.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "services/gateway/http/http_server.h"
#include "services/gateway/http/https_certificate.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {
namespace {

using namespace std::chrono_literals;
using testing::IsOk;
using testing::StatusIs;

identity::CertificateSpec SpecOf(const std::string& name) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return {.common_name = name,
          .alternative_names = {"DNS:localhost"},
          .not_before = now - 1h,
          .not_after = now + 1h};
}

class HttpsTest : public ::testing::Test {
 protected:
  HttpsTest() { Write(Issue("first")); }

  identity::KeyAndCertificate Issue(const std::string& name) const {
    return *identity::IssueCertificate(authority_, SpecOf(name));
  }
  void Write(const std::string& text) const {
    std::ofstream(path_ + ".new", std::ios::binary) << text;
    std::filesystem::rename(path_ + ".new", path_);
  }
  void Write(const identity::KeyAndCertificate& pair) const {
    Write(pair.certificate_pem + pair.key_pem);
  }
  void Start(const HttpLimits& limits = {}) {
    certificate_ = *HttpsCertificate::Load(path_, 1h);
    auto server = HttpServer::Start({.limits = limits,
                                     .certificate = certificate_.get(),
                                     .handler = [](const std::shared_ptr<Exchange>& exchange) {
                                       if (exchange->WantsWebSocket()) {
                                         return Echo(exchange->Accept("echo", 1 << 20));
                                       }
                                       const Request& request = exchange->request();
                                       exchange->Send({.body = Share(request.path + request.body)});
                                     }});
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
  }
  static void Echo(const std::shared_ptr<WebSocket>& socket) {
    socket->Read([socket](const std::string& message, bool) {
      socket->Write(Share(message), [socket] { Echo(socket); });
    });
  }

  const testing::TempFolder folder_;
  const std::string path_ = folder_.File("https.pem");
  const identity::KeyAndCertificate authority_ = *identity::MakeAuthority(SpecOf("authority"));
  std::unique_ptr<HttpsCertificate> certificate_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpsTest, ServesRequestsOfAConnection) {
  Start();
  TestClient client(server_->port(), authority_.certificate_pem);
  EXPECT_EQ(client.Call("GET", "/a").body, "/a");
  const std::string large(900'000, 'x');
  EXPECT_EQ(client.Call("POST", "/b", {}, large).body, "/b" + large);
  EXPECT_EQ(client.Call("GET", "/c", {{"connection", "close"}}).body, "/c");
  EXPECT_TRUE(client.ReadEnd());
}

TEST_F(HttpsTest, ServesWebSockets) {
  Start();
  TestClient client(server_->port(), authority_.certificate_pem);
  ASSERT_EQ(client.OpenWebSocket("/", "echo"), 101);
  for (const std::string& message : {std::string("hello"), std::string(500'000, 'x')}) {
    client.SendBinary(message);
    std::string echo;  // A large message comes in several frames.
    while (echo.size() < message.size() && !client.broken()) echo += client.ReadFrame().payload;
    EXPECT_TRUE(echo == message);
  }
  client.SendFrame(8, "\x03\xe8");
  EXPECT_EQ(client.ReadFrame().opcode, 8);
  EXPECT_TRUE(client.ReadEnd());
}

TEST_F(HttpsTest, ClosesPlaintextAndGarbageAndServesOthers) {
  Start();
  for (const char* bytes : {"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n", "\x16\x03\x01\xff\xff"}) {
    TestClient plain(server_->port());
    plain.Send(bytes);
    if (bytes[0] != 'G') plain.Send(std::string(100'000, '\xff'));
    while (!plain.broken()) plain.ReadHead();
  }
  TestClient client(server_->port(), authority_.certificate_pem);
  EXPECT_EQ(client.Call("GET", "/a").body, "/a");
}

TEST_F(HttpsTest, CutsAPeerThatDoesNotShakeHands) {
  Start({.header_time = 100ms, .idle_time = 1h});
  TestClient silent(server_->port());
  EXPECT_TRUE(silent.ReadEnd());
}

TEST_F(HttpsTest, UsesANewCertificateAndKeepsOpenConnections) {
  Start();
  TestClient old_client(server_->port(), authority_.certificate_pem);
  EXPECT_EQ(old_client.ServerName(), "first");
  Write(Issue("second"));
  certificate_->Reload();
  TestClient new_client(server_->port(), authority_.certificate_pem);
  EXPECT_EQ(new_client.ServerName(), "second");
  EXPECT_EQ(new_client.Call("GET", "/a").body, "/a");
  EXPECT_EQ(old_client.Call("GET", "/b").body, "/b");
}

TEST_F(HttpsTest, KeepsTheLastCertificateWhenTheFileCannotBeUsed) {
  Start();
  for (const std::string& text : {std::string(), std::string("rubbish"), Issue("a").certificate_pem,
                                  Issue("a").certificate_pem + Issue("b").key_pem}) {
    Write(text);
    certificate_->Reload();
    TestClient client(server_->port(), authority_.certificate_pem);
    EXPECT_EQ(client.ServerName(), "first");
  }
}

TEST_F(HttpsTest, NamesTheFileThatCannotBeUsed) {
  EXPECT_THAT(HttpsCertificate::Load(folder_.File("none")),
              StatusIs(absl::StatusCode::kNotFound, "none"));
  Write(Issue("a").key_pem);
  EXPECT_THAT(HttpsCertificate::Load(path_),
              StatusIs(absl::StatusCode::kInvalidArgument, "https.pem: has no certificate"));
  Write(Issue("a").certificate_pem + Issue("b").key_pem);
  EXPECT_THAT(HttpsCertificate::Load(path_),
              StatusIs(absl::StatusCode::kInvalidArgument, "https.pem: has no key"));
}

}  // namespace
}  // namespace ridestream::gateway
