#include "libs/rpc/tls_credentials.h"

#include <stdlib.h>

#include <limits>
#include <utility>
#include <vector>

#include "grpc/grpc_security_constants.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "libs/base/mutex.h"
#include "libs/base/timer_queue.h"
#include "libs/identity/peer_certificate.h"
#include "libs/identity/reloaded_file.h"
#include "libs/identity/service_uri.h"
#include "libs/rpc/published_file.h"
#include "libs/rpc/rate_limiter.h"
#include "libs/service/service.h"

namespace ridestream::rpc {
struct TlsFileContents {
  std::string certificate;
  std::string key;
  std::string authorities;

  friend bool operator==(const TlsFileContents&, const TlsFileContents&) = default;
};

namespace {

namespace tls = grpc::experimental;
using identity::PeerEnd;

constexpr std::size_t kMaxFileBytes = 1 << 20;
/// gRPC's own polling interval for published files; 1 s is its minimum.
constexpr unsigned kProviderInterval = 1;  // Seconds.

std::chrono::sys_seconds Now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

absl::StatusOr<TlsFileContents> ReadFiles(const TlsFiles& files) {
  TlsFileContents content;
  for (const auto& [path, text] :
       {std::pair(&files.certificate, &content.certificate), std::pair(&files.key, &content.key),
        std::pair(&files.authorities, &content.authorities)}) {
    absl::StatusOr<std::string> read = identity::ReadWholeFile(*path, kMaxFileBytes);
    if (!read.ok()) {
      return absl::Status(read.status().code(), *path + " " + std::string(read.status().message()));
    }
    *text = *std::move(read);
  }
  return content;
}

/// gRPC 1.51 has no setting for the minimum TLS version. Its cipher list applies to TLS 1.2 only,
/// so a list that no certificate can serve leaves TLS 1.3.
void RefuseTls12() {
  static const int set = setenv("GRPC_SSL_CIPHER_SUITES", "PSK-AES256-GCM-SHA384", 1);
  (void)set;
}

/// Refuses each peer; there is none. Keeps the file, which the provider reads until the last user
/// of these options has gone.
class NobodyVerifier final : public tls::ExternalCertificateVerifier {
 public:
  explicit NobodyVerifier(std::shared_ptr<const PublishedFile> file) : file_(std::move(file)) {}

  bool Verify(tls::TlsCustomVerificationCheckRequest*, std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    *sync_status = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "nobody is expected here");
    return true;
  }
  void Cancel(tls::TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::shared_ptr<const PublishedFile> file_;
};

/// A channel that uses the provider's certificate for as long as it lives, and never connects.
/// `file` is what the provider reads.
///
/// gRPC 1.51 hands the certificate over when a first connection asks for it, and forgets it when
/// the last one has gone, both without a common lock. A connection that starts at such a moment
/// finds no certificate and fails ("Failed to create security handshaker"). With this channel, no
/// other is first or last.
std::shared_ptr<grpc::Channel> KeepCertificate(
    const std::shared_ptr<tls::CertificateProviderInterface>& provider,
    std::shared_ptr<const PublishedFile> file) {
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(provider);
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(false);
  // Connections are freed by gRPC's threads, later than the channel. gRPC frees the provider before
  // the verifier.
  options.set_certificate_verifier(
      tls::ExternalCertificateVerifier::Create<NobodyVerifier>(std::move(file)));
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_CLIENT_IDLE_TIMEOUT_MS, std::numeric_limits<int>::max());
  // A pause before the next attempt also keeps a connection that isn't needed any more.
  for (const char* pause : {GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS,
                            GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS}) {
    arguments.SetInt(pause, 1'000);
  }
  // Not a socket, so nobody can listen there.
  auto channel =
      grpc::CreateCustomChannel("unix:/dev/null", tls::TlsCredentials(options), arguments);
  channel->GetState(/*try_to_connect=*/true);  // Creates the connection, which asks for it.
  return channel;
}

}  // namespace

/// The files' content in the form that gRPC's threads need.
class TlsCredentials::Source {
 public:
  Source(TlsFiles files, std::chrono::milliseconds reload_every)
      : files_(std::move(files)), reload_every_(reload_every) {}

  absl::Status Start() {
    absl::StatusOr<TlsFileContents> content = ReadFiles(files_);
    if (!content.ok()) return content.status();
    absl::StatusOr<std::string> service = identity::CheckOwnCertificate(
        content->certificate, content->key, content->authorities, Now());
    if (!service.ok()) {
      return absl::Status(service.status().code(),
                          files_.certificate + ": " + std::string(service.status().message()));
    }
    service_ = *std::move(service);
    MutexLock lock(mu_);
    if (absl::Status status = Adopt(*std::move(content)); !status.ok()) return status;
    provider_ = std::make_shared<tls::FileWatcherCertificateProvider>(
        identity_->path(), identity_->path(), kProviderInterval);
    certificate_keeper_ = KeepCertificate(provider_, identity_);
    return absl::OkStatus();
  }

  void Reload() {
    const absl::Status status = TryReload();
    stale_ = !status.ok();
    if (!status.ok()) ++failures_;
    const std::string error(status.message());
    MutexLock lock(mu_);
    if (error != last_error_) identity::LogReload(files_.certificate, status);
    last_error_ = error;
  }

  /// Returns OK if the peer is one of `services`; else counts and logs the refusal.
  grpc::Status Verify(const tls::TlsCustomVerificationCheckRequest& request, PeerEnd end,
                      const std::set<std::string>& services) {
    std::string authorities;
    {
      MutexLock lock(mu_);
      authorities = content_.authorities;
    }
    const auto text = [](grpc::string_ref ref) { return std::string(ref.data(), ref.size()); };
    const absl::StatusOr<std::string> service = identity::VerifyPeerCertificate(
        text(request.peer_cert()), text(request.peer_cert_full_chain()), authorities, end, services,
        Now());
    if (service.ok()) return grpc::Status::OK;
    ++refused_;
    const std::string reason(service.status().message());
    if (!log_limiter_.Take("", RateLimiter::Wall::now())) {
      service::Log(service::Level::kWarning, "peer_refused",
                   {{"end", end == PeerEnd::kClient ? "client" : "server"}, {"reason", reason}});
    }
    return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, reason);
  }

  const std::string& service() const { return service_; }
  std::chrono::milliseconds reload_every() const { return reload_every_; }
  std::shared_ptr<tls::CertificateProviderInterface> provider() const { return provider_; }
  std::uint64_t failures() const { return failures_; }
  std::uint64_t refused() const { return refused_; }
  bool stale() const { return stale_; }

 private:
  absl::Status TryReload() {
    absl::StatusOr<TlsFileContents> content = ReadFiles(files_);
    if (!content.ok()) return content.status();
    {
      MutexLock lock(mu_);
      if (*content == content_) return absl::OkStatus();
    }
    const absl::StatusOr<std::string> service = identity::CheckOwnCertificate(
        content->certificate, content->key, content->authorities, Now());
    if (!service.ok()) return service.status();
    if (*service != service_) {
      return absl::InvalidArgumentError("the certificate names another service than before");
    }
    MutexLock lock(mu_);
    if (absl::Status status = Adopt(*std::move(content)); !status.ok()) return status;
    service::Log(service::Level::kInfo, "certificate_reloaded", {{"path", files_.certificate}});
    return absl::OkStatus();
  }

  /// gRPC 1.51 drops its old certificate before it tries the new one, so it must only see checked
  /// files; and key and certificate must be in one file, so that it never reads halves of two
  /// pairs.
  absl::Status Adopt(TlsFileContents content) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    absl::Status status = identity_->Publish(content.key + "\n" + content.certificate);
    if (status.ok()) content_ = std::move(content);
    return status;
  }

  const TlsFiles files_;
  const std::chrono::milliseconds reload_every_;
  std::string service_;  // Const after Start, as is the provider.
  std::atomic<std::uint64_t> failures_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<bool> stale_ = false;
  RateLimiter log_limiter_{{.per_s = 10, .burst = 100}};

  Mutex mu_;
  const std::shared_ptr<PublishedFile> identity_ ABSL_PT_GUARDED_BY(mu_) =
      std::make_shared<PublishedFile>();
  TlsFileContents content_ ABSL_GUARDED_BY(mu_);
  std::string last_error_ ABSL_GUARDED_BY(mu_);

  std::shared_ptr<tls::CertificateProviderInterface> provider_;  // It reads identity_.
  std::shared_ptr<grpc::Channel> certificate_keeper_;
};

struct TlsCredentials::Timer {
  TimerQueue queue;
};

namespace {

/// Passes each peer to the source, after the handshake has proven that the peer owns the
/// certificate's key and before anything that it sends is read.
template <class Source>
class PeerVerifier final : public tls::ExternalCertificateVerifier {
 public:
  PeerVerifier(std::shared_ptr<Source> source, PeerEnd end, std::set<std::string> services)
      : source_(std::move(source)), end_(end), services_(std::move(services)) {}

  bool Verify(tls::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    *sync_status = source_->Verify(*request, end_, services_);
    return true;
  }
  void Cancel(tls::TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::shared_ptr<Source> source_;
  const PeerEnd end_;
  const std::set<std::string> services_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TlsCredentials>> TlsCredentials::Load(
    TlsFiles files, std::chrono::milliseconds reload_every) {
  RefuseTls12();
  auto source = std::make_shared<Source>(std::move(files), reload_every);
  if (absl::Status status = source->Start(); !status.ok()) return status;
  return std::unique_ptr<TlsCredentials>(new TlsCredentials(std::move(source)));
}

TlsCredentials::TlsCredentials(std::shared_ptr<Source> source)
    : source_(std::move(source)), timer_(std::make_unique<Timer>()) {
  ReloadLater();
}

TlsCredentials::~TlsCredentials() = default;

void TlsCredentials::ReloadLater() {
  timer_->queue.After(source_->reload_every(), [this] {
    source_->Reload();
    ReloadLater();
  });
}

std::shared_ptr<grpc::ServerCredentials> TlsCredentials::ForServer(
    std::set<std::string> clients) const {
  tls::TlsServerCredentialsOptions options(source_->provider());
  options.watch_identity_key_cert_pairs();
  // "Don't verify" concerns the chain only, which our verifier checks and logs with a reason. The
  // handshake still proves that the client owns the certificate's key.
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
  options.set_certificate_verifier(tls::ExternalCertificateVerifier::Create<PeerVerifier<Source>>(
      source_, PeerEnd::kClient, std::move(clients)));
  options.set_check_call_host(false);
  return tls::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> TlsCredentials::ForChannel(
    std::set<std::string> servers) const {
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(source_->provider());
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(false);  // Our verifier does, as in servers.
  options.set_certificate_verifier(tls::ExternalCertificateVerifier::Create<PeerVerifier<Source>>(
      source_, PeerEnd::kServer, std::move(servers)));
  options.set_check_call_host(false);
  return tls::TlsCredentials(options);
}

const std::string& TlsCredentials::service() const { return source_->service(); }
std::uint64_t TlsCredentials::failures() const { return source_->failures(); }
std::uint64_t TlsCredentials::refused() const { return source_->refused(); }
bool TlsCredentials::stale() const { return source_->stale(); }

absl::StatusOr<std::string> PeerService(const grpc::AuthContext& context) {
  const std::vector<grpc::string_ref> uris =
      context.FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME);
  if (uris.size() != 1)
    return absl::UnauthenticatedError("the peer's certificate doesn't name a service");
  const auto service = identity::ServiceOfUri(std::string_view(uris[0].data(), uris[0].size()));
  if (!service) return absl::UnauthenticatedError("the peer's certificate doesn't name a service");
  return *service;
}

}  // namespace ridestream::rpc
