#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// An HTTP client over a plain socket, which sends what the test says, however wrong. Waits end
/// after 30 s with a failure of the test. Not thread-safe.
class TestClient {
 public:
  explicit TestClient(int port);
  /// Over TLS, to a server whose certificate this authority has signed.
  TestClient(int port, const std::string& authority_pem);
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  struct Answer {
    int status = 0;
    Headers headers = {};
    std::string body = {};
    /// The body came as it was announced, up to its end.
    bool whole = false;
  };

  void Send(std::string_view bytes);
  /// A request with its `content-length` and, unless `headers` has another, a `host`; and its whole
  /// answer.
  Answer Call(std::string_view method, std::string_view target, const Headers& headers = {},
              std::string_view body = {});
  void SendRequest(std::string_view method, std::string_view target, const Headers& headers = {},
                   std::string_view body = {});
  Answer ReadAnswer(bool has_body = true);
  /// Status and header alone.
  Answer ReadHead();
  /// The next chunk of a chunked body; empty at its end, or when the connection broke (see broken).
  std::string ReadChunk();
  /// Whether bytes have come that weren't read yet, or the peer has closed. Waits for 10 ms.
  bool HasBytes() const;
  /// Waits until the peer has closed; false if bytes came instead.
  bool ReadEnd();
  bool broken() const { return broken_; }
  /// The common name in the server's certificate; for TLS.
  std::string ServerName() const;
  void Close();

  /// Shakes hands for a WebSocket; the answer's status.
  int OpenWebSocket(std::string_view path, std::string_view subprotocol,
                    const Headers& headers = {});
  void SendFrame(std::uint8_t opcode, std::string_view payload);
  void SendBinary(std::string_view payload) { SendFrame(2, payload); }
  struct Frame {
    /// 2 binary, 8 close, 9 ping; 0 when the connection broke.
    int opcode = 0;
    std::string payload = {};
  };
  Frame ReadFrame();

 private:
  /// Reads until the buffer holds `count` bytes; false at the end of the connection.
  bool Fill(std::size_t count);
  std::string Take(std::size_t count);
  bool ReadLine(std::string& line);

  /// As send and recv, over TLS where there is one.
  ssize_t SendSome(std::string_view bytes);
  ssize_t ReceiveSome(char* bytes, std::size_t size);

  struct FreeTls {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* tls) const { SSL_free(tls); }
  };
  std::unique_ptr<SSL_CTX, FreeTls> tls_context_;
  std::unique_ptr<SSL, FreeTls> tls_;  // nullptr: plaintext.
  int fd_ = -1;
  std::string buffer_;
  bool broken_ = false;
};

}  // namespace ridestream::gateway
