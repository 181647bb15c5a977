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

/// Where a service's certificate comes from, each a file of PEM.
struct TlsFiles {
  /// The certificate that names this service, and the intermediate ones after it.
  std::string certificate;
  std::string key;
  /// The authorities whose certificates are accepted: several while one replaces another.
  std::string authorities;
};

/// Credentials for mutual TLS 1.3 between services: each end proves by its certificate's URI which
/// service it is. The files are read again every second; when they change, connections from then on
/// use what they say, and those that stand go on. Files that can't be used (missing, rubbish, a key
/// that doesn't fit) leave the last good ones in use, with an error line and `failures`.
///
/// A peer that is refused gets a closed connection; our log has the event "peer_refused" with the
/// reason, at most ten a second. A client without any certificate is refused by OpenSSL already,
/// which the event "grpc" reports.
///
/// Thread-safe. Credentials may outlive it, but no longer follow the files then.
class TlsCredentials {
 public:
  /// An error that names the file's fault when the files can't be used. Call it before other
  /// threads start: the first call sets an environment variable for gRPC.
  static absl::StatusOr<std::unique_ptr<TlsCredentials>> Load(
      TlsFiles files, std::chrono::milliseconds reload_every = std::chrono::seconds(1));
  ~TlsCredentials();

  /// For a server that serves these services alone.
  std::shared_ptr<grpc::ServerCredentials> ForServer(std::set<std::string> clients) const;
  /// For channels to any of these services; whatever host they run on.
  std::shared_ptr<grpc::ChannelCredentials> ForChannel(std::set<std::string> servers) const;

  /// The service that our certificate names.
  const std::string& service() const;
  /// Looks at the files that found them unusable.
  std::uint64_t failures() const;
  /// Whether the files can't be used as they are now, and earlier ones are in use.
  bool stale() const;
  /// Peers that were refused for their certificate.
  std::uint64_t refused() const;

 private:
  class Source;
  explicit TlsCredentials(std::shared_ptr<Source> source);
  void ReloadLater();

  const std::shared_ptr<Source> source_;
  struct Timer;
  std::unique_ptr<Timer> timer_;
};

/// The service that the call's other end proved to be. UNAUTHENTICATED when the connection isn't
/// one of TlsCredentials.
absl::StatusOr<std::string> PeerService(const grpc::AuthContext& context);

}  // namespace ridestream::rpc
