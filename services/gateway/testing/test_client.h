#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// An HTTP client on a plain socket that sends exactly the bytes that the test gives it, valid or
/// not. Waits fail the test after 30 s. Not thread-safe.
class TestClient {
 public:
  explicit TestClient(int port);
  /// Over TLS, to a server whose certificate this authority signed.
  TestClient(int port, const std::string& authority_pem);
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  struct Answer {
    int status = 0;
    Headers headers = {};
    std::string body = {};
    /// Whether the complete announced body arrived.
    bool whole = false;
  };

  void Send(std::string_view bytes);
  /// Sends a request with its `content-length` and, unless `headers` has one, a `host`; returns the
  /// whole response.
  Answer Call(std::string_view method, std::string_view target, const Headers& headers = {},
              std::string_view body = {});
  void SendRequest(std::string_view method, std::string_view target, const Headers& headers = {},
                   std::string_view body = {});
  Answer ReadAnswer(bool has_body = true);
  /// Reads the status and the headers only.
  Answer ReadHead();
  /// The next chunk of a chunked body; empty at its end, or if the connection broke (see broken).
  std::string ReadChunk();
  /// Whether unread bytes have arrived or the peer has closed. Waits for 10 ms.
  bool HasBytes() const;
  /// Waits until the peer has closed; false if bytes arrived instead.
  bool ReadEnd();
  bool broken() const { return broken_; }
  /// The common name in the server's certificate. TLS only.
  std::string ServerName() const;
  void Close();

  /// Performs a WebSocket handshake and returns the response's status.
  int OpenWebSocket(std::string_view path, std::string_view subprotocol,
                    const Headers& headers = {});
  void SendFrame(std::uint8_t opcode, std::string_view payload);
  void SendBinary(std::string_view payload) { SendFrame(2, payload); }
  struct Frame {
    /// 2 binary, 8 close, 9 ping; 0 if the connection broke.
    int opcode = 0;
    std::string payload = {};
  };
  Frame ReadFrame();

 private:
  /// Reads until the buffer holds `count` bytes; false if the connection ends before.
  bool Fill(std::size_t count);
  std::string Take(std::size_t count);
  bool ReadLine(std::string& line);

  /// Like send and recv, over TLS if there is a session.
  ssize_t SendSome(std::string_view bytes);
  ssize_t ReceiveSome(char* bytes, std::size_t size);

  struct FreeTls {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* tls) const { SSL_free(tls); }
  };
  std::unique_ptr<SSL_CTX, FreeTls> tls_context_;
  std::unique_ptr<SSL, FreeTls> tls_;  // Null: plaintext.
  int fd_ = -1;
  std::string buffer_;
  bool broken_ = false;
};

}  // namespace ridestream::gateway
