#include "services/gateway/testing/test_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace ridestream::gateway {

TestClient::TestClient(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{.tv_sec = 30, .tv_usec = 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ADD_FAILURE() << "can't connect to port " << port << ": " << std::strerror(errno);
    broken_ = true;
  }
}

TestClient::TestClient(int port, const std::string& authority_pem) : TestClient(port) {
  tls_context_.reset(SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<BIO, int (*)(BIO*)> pem(
      BIO_new_mem_buf(authority_pem.data(), static_cast<int>(authority_pem.size())), BIO_free);
  const std::unique_ptr<X509, void (*)(X509*)> authority(
      PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr), X509_free);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(tls_context_.get()), authority.get());
  SSL_CTX_set_verify(tls_context_.get(), SSL_VERIFY_PEER, nullptr);
  tls_.reset(SSL_new(tls_context_.get()));
  SSL_set_fd(tls_.get(), fd_);
  if (SSL_connect(tls_.get()) != 1) {
    ADD_FAILURE() << "no TLS with port " << port;
    broken_ = true;
  }
}

TestClient::~TestClient() { Close(); }

std::string TestClient::ServerName() const {
  const std::unique_ptr<X509, void (*)(X509*)> certificate(SSL_get1_peer_certificate(tls_.get()),
                                                           X509_free);
  if (certificate == nullptr) return "";
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name,
                            sizeof(name));
  return name;
}

ssize_t TestClient::SendSome(std::string_view bytes) {
  return tls_ == nullptr ? send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL)
                         : SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
}

ssize_t TestClient::ReceiveSome(char* bytes, std::size_t size) {
  return tls_ == nullptr ? recv(fd_, bytes, size, 0)
                         : SSL_read(tls_.get(), bytes, static_cast<int>(size));
}

void TestClient::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void TestClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = SendSome(bytes);
    if (sent <= 0) {
      broken_ = true;  // The peer may already have answered and closed.
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void TestClient::SendRequest(std::string_view method, std::string_view target,
                             const Headers& headers, std::string_view body) {
  std::string request = fmt::format("{} {} HTTP/1.1\r\n", method, target);
  if (!headers.Has("host")) request += "host: gateway.localhost\r\n";
  for (const auto& [name, value] : headers) request += fmt::format("{}: {}\r\n", name, value);
  request += fmt::format("content-length: {}\r\n\r\n{}", body.size(), body);
  Send(request);
}

TestClient::Answer TestClient::Call(std::string_view method, std::string_view target,
                                    const Headers& headers, std::string_view body) {
  SendRequest(method, target, headers, body);
  return ReadAnswer(method != "HEAD");
}

bool TestClient::Fill(std::size_t count) {
  char bytes[64 << 10];
  while (buffer_.size() < count) {
    const ssize_t received = ReceiveSome(bytes, sizeof(bytes));
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      ADD_FAILURE() << "nothing came for 30 s";
    }
    if (received <= 0) {
      broken_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(received));
  }
  return true;
}

std::string TestClient::Take(std::size_t count) {
  std::string taken = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return taken;
}

bool TestClient::ReadLine(std::string& line) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!Fill(buffer_.size() + 1)) return false;
  }
  line = Take(end);
  Take(2);
  return true;
}

TestClient::Answer TestClient::ReadHead() {
  Answer answer;
  std::string line;
  if (!ReadLine(line) || line.size() < 12) return answer;
  answer.status = std::atoi(line.substr(9, 3).c_str());
  while (ReadLine(line) && !line.empty()) {
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos)
      answer.headers.Add(line.substr(0, colon), line.substr(colon + 2));
  }
  return answer;
}

TestClient::Answer TestClient::ReadAnswer(bool has_body) {
  Answer answer = ReadHead();
  if (answer.headers.Get("transfer-encoding") == "chunked") {
    for (std::string chunk = ReadChunk(); !chunk.empty(); chunk = ReadChunk()) answer.body += chunk;
    answer.whole = !broken_;
  } else if (has_body && answer.headers.Has("content-length")) {
    const auto length = static_cast<std::size_t>(
        std::atoll(std::string(answer.headers.Get("content-length")).c_str()));
    answer.whole = Fill(length);
    answer.body = Take(length);
  } else {
    answer.whole = answer.status != 0;
  }
  return answer;
}

std::string TestClient::ReadChunk() {
  std::string line;
  if (!ReadLine(line)) return "";
  const std::size_t length = std::strtoul(line.c_str(), nullptr, 16);
  if (!Fill(length + 2)) return "";
  std::string chunk = Take(length);
  Take(2);
  return chunk;
}

bool TestClient::HasBytes() const {
  pollfd socket{.fd = fd_, .events = POLLIN, .revents = 0};
  return !buffer_.empty() || poll(&socket, 1, 10) > 0;
}

bool TestClient::ReadEnd() {
  const bool ended = buffer_.empty() && !Fill(1);
  return ended;
}

int TestClient::OpenWebSocket(std::string_view path, std::string_view subprotocol,
                              const Headers& headers) {
  std::string request = fmt::format(
      "GET {} HTTP/1.1\r\nhost: gateway.localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
      "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "sec-websocket-protocol: {}\r\n",
      path, subprotocol);
  for (const auto& [name, value] : headers) request += fmt::format("{}: {}\r\n", name, value);
  Send(request + "\r\n");
  return ReadHead().status;
}

void TestClient::SendFrame(std::uint8_t opcode, std::string_view payload) {
  // RFC 6455, 5.2: final, masked (with zeros, which change nothing).
  std::string frame(1, static_cast<char>(0x80 | opcode));
  // The shortest of the three encodings of the length.
  const int length_bits = payload.size() < 126 ? 0 : payload.size() < 1 << 16 ? 16 : 64;
  frame += static_cast<char>(0x80 | (length_bits == 0    ? static_cast<int>(payload.size())
                                     : length_bits == 16 ? 126
                                                         : 127));
  for (int shift = length_bits - 8; shift >= 0; shift -= 8) {
    frame += static_cast<char>((payload.size() >> shift) & 0xff);
  }
  frame.append(4, '\0');
  frame += payload;
  Send(frame);
}

TestClient::Frame TestClient::ReadFrame() {
  if (!Fill(2)) return {};
  const std::string head = Take(2);
  std::size_t length = static_cast<unsigned char>(head[1]) & 0x7f;
  const std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (more > 0) {
    if (!Fill(more)) return {};
    length = 0;
    for (const char c : Take(more)) length = length << 8 | static_cast<unsigned char>(c);
  }
  if (!Fill(length)) return {};
  return {.opcode = head[0] & 0x0f, .payload = Take(length)};
}

}  // namespace ridestream::gateway
