#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/grpcpp.h"

namespace ridestream::rpc {

/// The files of a service's certificate, each in PEM format.
struct TlsFiles {
  /// The certificate that names this service, followed by intermediate certificates.
  std::string certificate;
  std::string key;
  /// The accepted authorities: several while one replaces another.
  std::string authorities;
};

/// Credentials for mutual TLS 1.3 between services: each end's certificate has a URI that names its
/// service. The files are read again every second. When they change, new connections use the new
/// content, and existing ones continue. Files that can't be used (missing, malformed, a key that
/// doesn't match) leave the last good ones in use, with an error line and `failures`.
///
/// A refused peer sees its connection closed; our log has the event "peer_refused" with the reason,
/// at most ten a second. OpenSSL itself refuses a client without a certificate, which the event
/// "grpc" reports.
///
/// Thread-safe. Credentials may outlive this object, but then no longer follow the files.
class TlsCredentials {
 public:
  /// Fails, with the reason, if the files can't be used. Must be called before other threads start:
  /// the first call sets an environment variable for gRPC.
  static absl::StatusOr<std::unique_ptr<TlsCredentials>> Load(
      TlsFiles files, std::chrono::milliseconds reload_every = std::chrono::seconds(1));
  ~TlsCredentials();

  /// For a server that accepts only these services.
  std::shared_ptr<grpc::ServerCredentials> ForServer(std::set<std::string> clients) const;
  /// For channels to any of these services, on whatever host.
  std::shared_ptr<grpc::ChannelCredentials> ForChannel(std::set<std::string> servers) const;

  /// The service that our certificate names.
  const std::string& service() const;
  /// Number of checks that found the files unusable.
  std::uint64_t failures() const;
  /// Whether the files are currently unusable and earlier ones are in use.
  bool stale() const;
  /// Number of peers refused because of their certificate.
  std::uint64_t refused() const;

 private:
  class Source;
  explicit TlsCredentials(std::shared_ptr<Source> source);
  void ReloadLater();

  const std::shared_ptr<Source> source_;
  struct Timer;
  std::unique_ptr<Timer> timer_;
};

/// The service that the call's other end has proven to be. UNAUTHENTICATED if the connection wasn't
/// made with TlsCredentials.
absl::StatusOr<std::string> PeerService(const grpc::AuthContext& context);

}  // namespace ridestream::rpc
