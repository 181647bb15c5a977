#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <string>
#include <thread>

#include "libs/base/mutex.h"
#include "libs/identity/certificates.h"

namespace ridestream::identity {

/// An https server on a free port of 127.0.0.1 that gives each request the same answer, one
/// connection after the other. Thread-safe.
class HttpsServer {
 public:
  /// `certificate`: what it presents.
  explicit HttpsServer(const KeyAndCertificate& certificate);
  ~HttpsServer();

  /// "https://127.0.0.1:PORT/jwks".
  std::string url() const;
  /// From now on: a status line's end, e.g. "200 OK", headers with their line ends, and a body.
  void Answer(std::string status, std::string body, std::string headers = "");
  /// Sends nothing from now on, until it ends or must answer again.
  void KeepSilent();
  /// Requests that it has read.
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
