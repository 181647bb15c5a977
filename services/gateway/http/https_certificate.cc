#include "services/gateway/http/https_certificate.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <string_view>
#include <utility>

#include "services/gateway/http/stream.h"

namespace ridestream::gateway {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;

absl::StatusOr<std::shared_ptr<const HttpsCertificate::Context>> Parse(std::string_view pem) {
  auto context = std::make_shared<HttpsCertificate::Context>();
  SSL_CTX_set_min_proto_version(context->ssl.native_handle(), TLS1_2_VERSION);
  const net::const_buffer bytes(pem.data(), pem.size());
  ErrorCode error;
  context->ssl.use_certificate_chain(bytes, error);
  if (error) {
    return absl::InvalidArgumentError(fmt::format("has no certificate: {}", error.message()));
  }
  context->ssl.use_private_key(bytes, net::ssl::context::pem, error);
  if (error) {
    return absl::InvalidArgumentError(
        fmt::format("has no key that matches the certificate: {}", error.message()));
  }
  return context;
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpsCertificate>> HttpsCertificate::Load(
    const std::string& path, std::chrono::milliseconds reload_every) {
  auto file = File::Open(path, kMaxFileBytes, Parse);
  if (!file.ok()) return file.status();
  std::unique_ptr<HttpsCertificate> certificate(
      new HttpsCertificate(*std::move(file), reload_every));
  certificate->ReloadLater();
  return certificate;
}

void HttpsCertificate::ReloadLater() {
  timer_.After(reload_every_, [this] {
    Reload();
    ReloadLater();
  });
}

}  // namespace ridestream::gateway
