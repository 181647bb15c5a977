#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ridestream::identity {

/// A private key and the certificate of its public half, both as PEM. The key is secret.
struct KeyAndCertificate {
  std::string key_pem;
  std::string certificate_pem;
};

struct CertificateSpec {
  std::string common_name;
  /// Subject alternative names in OpenSSL's notation: "URI:spiffe://…", "DNS:localhost",
  /// "IP:127.0.0.1". If empty, the certificate lacks the extension.
  std::vector<std::string> alternative_names = {};
  std::chrono::sys_seconds not_before;
  std::chrono::sys_seconds not_after;
};

/// A new P-256 key with a self-signed certificate that may sign other certificates, but no further
/// authorities.
absl::StatusOr<KeyAndCertificate> MakeAuthority(const CertificateSpec& spec);

/// A new P-256 key with a certificate signed by `authority`, for both ends of TLS. INVALID_ARGUMENT
/// for names that OpenSSL rejects.
absl::StatusOr<KeyAndCertificate> IssueCertificate(const KeyAndCertificate& authority,
                                                   const CertificateSpec& spec);

}  // namespace ridestream::identity
