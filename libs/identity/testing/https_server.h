#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <string>
#include <thread>

#include "libs/base/mutex.h"
#include "libs/identity/certificates.h"

namespace ridestream::identity {

/// An HTTPS server on a free port of 127.0.0.1 that gives every request the same response and
/// serves one connection at a time. Thread-safe.
class HttpsServer {
 public:
  /// `certificate` is what the server presents.
  explicit HttpsServer(const KeyAndCertificate& certificate);
  ~HttpsServer();

  /// "https://127.0.0.1:PORT/jwks".
  std::string url() const;
  /// Sets the response: the end of the status line, e.g. "200 OK", the body, and headers with their
  /// line ends.
  void Answer(std::string status, std::string body, std::string headers = "");
  /// Sends nothing until Answer is called again or the server is destroyed.
  void KeepSilent();
  /// Number of requests that it has read.
  int requests() const { return requests_; }

 private:
  void Serve();
  void ServeOne(SSL& connection);

  SSL_CTX* const context_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> requests_ = 0;
  Mutex mu_;
  CondVar changed_;
  std::string answer_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace ridestream::identity
