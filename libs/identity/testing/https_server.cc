#include "libs/identity/testing/https_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "libs/identity/openssl_types.h"

namespace ridestream::identity {

HttpsServer::HttpsServer(const KeyAndCertificate& certificate)
    : context_(SSL_CTX_new(TLS_server_method())) {
  const OpenSslKey key = ReadPemKey(certificate.key_pem);
  const OpenSslCertificate shown(
      PEM_read_bio_X509(PemReader(certificate.certificate_pem).get(), nullptr, nullptr, nullptr));
  EXPECT_EQ(SSL_CTX_use_certificate(context_, shown.get()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context_, key.get()), 1);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(listener_, raw, size), 0);
  EXPECT_EQ(listen(listener_, 16), 0);
  EXPECT_EQ(getsockname(listener_, raw, &size), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

HttpsServer::~HttpsServer() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    changed_.SignalAll();
  }
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
  SSL_CTX_free(context_);
}

std::string HttpsServer::url() const { return fmt::format("https://127.0.0.1:{}/jwks", port_); }

void HttpsServer::Answer(std::string status, std::string body, std::string headers) {
  MutexLock lock(mu_);
  answer_ = fmt::format("HTTP/1.1 {}\r\ncontent-length: {}\r\nconnection: close\r\n{}\r\n{}",
                        status, body.size(), headers, body);
  changed_.SignalAll();
}

void HttpsServer::KeepSilent() {
  MutexLock lock(mu_);
  answer_.clear();
}

void HttpsServer::Serve() {
  while (true) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;  // The server is being destroyed.
    const std::unique_ptr<SSL, OpenSslRelease<SSL_free>> connection(SSL_new(context_));
    SSL_set_fd(connection.get(), socket);
    if (SSL_accept(connection.get()) == 1) ServeOne(*connection);
    close(socket);
  }
}

void HttpsServer::ServeOne(SSL& connection) {
  std::string request;
  char buffer[4'096];
  while (request.find("\r\n\r\n") == request.npos) {
    const int got = SSL_read(&connection, buffer, sizeof(buffer));
    if (got <= 0) return;
    request.append(buffer, static_cast<std::size_t>(got));
  }
  ++requests_;
  std::string answer;
  {
    MutexLock lock(mu_);
    while (answer_.empty() && !stopping_) changed_.Wait(mu_);
    answer = answer_;
  }
  if (answer.empty()) return;
  SSL_write(&connection, answer.data(), static_cast<int>(answer.size()));
  SSL_shutdown(&connection);
}

}  // namespace ridestream::identity
