#include "libs/identity/peer_certificate.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <optional>
#include <utility>
#include <vector>

#include "libs/identity/openssl_types.h"
#include "libs/identity/service_uri.h"

namespace ridestream::identity {
namespace {

constexpr int kMaxIntermediates = 4;

/// Parses all certificates of a PEM text, which may be empty. nullopt if a part can't be parsed.
std::optional<std::vector<OpenSslCertificate>> ReadCertificates(const std::string& pem) {
  std::vector<OpenSslCertificate> result;
  const OpenSslBio bio = PemReader(pem);
  while (OpenSslCertificate next{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    result.push_back(std::move(next));
  }
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!ended) return std::nullopt;
  return result;
}

absl::StatusOr<std::string> ServiceOf(const X509* certificate) {
  struct Release {
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  };
  int is_critical = 0;
  const std::unique_ptr<GENERAL_NAMES, Release> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &is_critical, nullptr)));
  std::vector<std::string_view> uris;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_STRING* uri = name->d.uniformResourceIdentifier;
    uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                      static_cast<std::size_t>(ASN1_STRING_length(uri)));
  }
  if (uris.empty()) return absl::UnauthenticatedError("the certificate has no URI that names it");
  if (uris.size() > 1) return absl::UnauthenticatedError("the certificate has more than one URI");
  std::optional<std::string> service = ServiceOfUri(uris[0]);
  if (!service) return absl::UnauthenticatedError("the certificate's URI names no service");
  return *std::move(service);
}

/// OpenSSL's reason why `leaf` isn't trusted; nullptr if it is.
const char* VerifyChain(X509* leaf, const std::vector<OpenSslCertificate>& intermediates,
                        const std::vector<OpenSslCertificate>& authorities, PeerEnd end,
                        std::chrono::sys_seconds now) {
  const std::unique_ptr<X509_STORE, OpenSslRelease<X509_STORE_free>> store(X509_STORE_new());
  const std::unique_ptr<X509_STORE_CTX, OpenSslRelease<X509_STORE_CTX_free>> context(
      X509_STORE_CTX_new());
  struct ReleaseStack {
    void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
  };
  const std::unique_ptr<STACK_OF(X509), ReleaseStack> untrusted(sk_X509_new_null());
  if (store == nullptr || context == nullptr || untrusted == nullptr) return "out of memory";
  for (const OpenSslCertificate& authority : authorities) {
    if (X509_STORE_add_cert(store.get(), authority.get()) != 1) return "out of memory";
  }
  for (const OpenSslCertificate& certificate : intermediates) {
    if (sk_X509_push(untrusted.get(), certificate.get()) == 0) return "out of memory";
  }
  if (X509_STORE_CTX_init(context.get(), store.get(), leaf, untrusted.get()) != 1 ||
      X509_STORE_CTX_set_default(context.get(),
                                 end == PeerEnd::kClient ? "ssl_client" : "ssl_server") != 1) {
    return "out of memory";
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_depth(parameters, kMaxIntermediates);
  X509_VERIFY_PARAM_set_time(parameters, now.time_since_epoch().count());
  const bool is_valid = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  if (is_valid) return nullptr;
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

}  // namespace

absl::StatusOr<std::string> VerifyPeerCertificate(const std::string& leaf_pem,
                                                  const std::string& chain_pem,
                                                  const std::string& authorities_pem, PeerEnd end,
                                                  const std::set<std::string>& services,
                                                  std::chrono::sys_seconds now) {
  const auto leaf = ReadCertificates(leaf_pem);
  const auto chain = ReadCertificates(chain_pem);
  const auto authorities = ReadCertificates(authorities_pem);
  if (!leaf || leaf->size() != 1 || !chain || !authorities) {
    return absl::UnauthenticatedError("a certificate can't be read");
  }
  X509* certificate = leaf->front().get();
  if (const char* reason = VerifyChain(certificate, *chain, *authorities, end, now)) {
    return absl::UnauthenticatedError(fmt::format("the certificate isn't trusted: {}", reason));
  }
  absl::StatusOr<std::string> service = ServiceOf(certificate);
  if (service.ok() && !services.contains(*service)) {
    return absl::PermissionDeniedError(
        fmt::format("the peer is {}, which isn't expected here", *service));
  }
  return service;
}

absl::StatusOr<std::string> CheckOwnCertificate(const std::string& certificate_pem,
                                                const std::string& key_pem,
                                                const std::string& authorities_pem,
                                                std::chrono::sys_seconds now) {
  const auto certificates = ReadCertificates(certificate_pem);
  if (!certificates || certificates->empty()) {
    return absl::InvalidArgumentError("the certificate can't be read");
  }
  const auto authorities = ReadCertificates(authorities_pem);
  if (!authorities || authorities->empty()) {
    return absl::InvalidArgumentError("the authorities' certificates can't be read");
  }
  X509* certificate = certificates->front().get();
  const OpenSslKey key = ReadPemKey(key_pem);
  const bool fits = key != nullptr && X509_check_private_key(certificate, key.get()) == 1;
  ERR_clear_error();
  if (key == nullptr) return absl::InvalidArgumentError("the key can't be read");
  if (!fits) return absl::InvalidArgumentError("the key doesn't fit the certificate");
  std::time_t time = now.time_since_epoch().count();
  if (X509_cmp_time(X509_get0_notBefore(certificate), &time) > 0) {
    return absl::InvalidArgumentError("the certificate isn't valid yet");
  }
  if (X509_cmp_time(X509_get0_notAfter(certificate), &time) < 0) {
    return absl::InvalidArgumentError("the certificate has expired");
  }
  absl::StatusOr<std::string> service = ServiceOf(certificate);
  if (!service.ok()) return absl::InvalidArgumentError(service.status().message());
  return service;
}

}  // namespace ridestream::identity
