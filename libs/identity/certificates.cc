#include "libs/identity/certificates.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <utility>

#include "fmt/ranges.h"
#include "libs/identity/openssl_types.h"

namespace ridestream::identity {
namespace {

using Key = OpenSslKey;
using Certificate = OpenSslCertificate;
using Bio = OpenSslBio;

absl::Status Failed(std::string_view what) {
  char reason[256] = "unknown error";
  if (const unsigned long code = ERR_peek_last_error(); code != 0) {
    ERR_error_string_n(code, reason, sizeof reason);
  }
  ERR_clear_error();
  return absl::InvalidArgumentError(fmt::format("{}: {}", what, reason));
}

std::string Content(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

bool AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, OpenSslRelease<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool SetRandomSerial(X509* certificate) {
  const std::unique_ptr<BIGNUM, OpenSslRelease<BN_free>> serial(BN_new());
  return serial != nullptr &&
         BN_rand(serial.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr;
}

/// Creates a certificate without extensions and signature.
Certificate Begin(const CertificateSpec& spec, EVP_PKEY* key) {
  Certificate certificate(X509_new());
  X509* x509 = certificate.get();
  if (x509 == nullptr || X509_set_version(x509, X509_VERSION_3) != 1 || !SetRandomSerial(x509) ||
      ASN1_TIME_set(X509_getm_notBefore(x509), spec.not_before.time_since_epoch().count()) ==
          nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(x509), spec.not_after.time_since_epoch().count()) ==
          nullptr ||
      X509_set_pubkey(x509, key) != 1 ||
      X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(spec.common_name.data()),
                                 static_cast<int>(spec.common_name.size()), -1, 0) != 1) {
    return nullptr;
  }
  return certificate;
}

absl::StatusOr<KeyAndCertificate> Sign(Certificate certificate, const Key& key, EVP_PKEY* signer) {
  if (X509_sign(certificate.get(), signer, EVP_sha256()) == 0) return Failed("can't sign");
  const Bio key_text(BIO_new(BIO_s_mem()));
  const Bio certificate_text(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                    nullptr) != 1 ||
      PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1) {
    return Failed("can't write");
  }
  return KeyAndCertificate{Content(key_text), Content(certificate_text)};
}

}  // namespace

absl::StatusOr<KeyAndCertificate> MakeAuthority(const CertificateSpec& spec) {
  const Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return Failed("can't make a key");
  Certificate certificate = Begin(spec, key.get());
  if (certificate == nullptr) return Failed("can't make a certificate");
  X509* self = certificate.get();
  if (X509_set_issuer_name(self, X509_get_subject_name(self)) != 1 ||
      !AddExtension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !AddExtension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !AddExtension(self, self, NID_subject_key_identifier, "hash")) {
    return Failed("can't make an authority");
  }
  return Sign(std::move(certificate), key, key.get());
}

absl::StatusOr<KeyAndCertificate> IssueCertificate(const KeyAndCertificate& authority,
                                                   const CertificateSpec& spec) {
  const Key authority_key = ReadPemKey(authority.key_pem);
  const Certificate issuer(
      PEM_read_bio_X509(PemReader(authority.certificate_pem).get(), nullptr, nullptr, nullptr));
  if (authority_key == nullptr || issuer == nullptr) return Failed("can't read the authority");
  const Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return Failed("can't make a key");
  Certificate certificate = Begin(spec, key.get());
  if (certificate == nullptr) return Failed("can't make a certificate");
  X509* subject = certificate.get();
  if (X509_set_issuer_name(subject, X509_get_subject_name(issuer.get())) != 1 ||
      !AddExtension(subject, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !AddExtension(subject, issuer.get(), NID_key_usage, "critical,digitalSignature") ||
      !AddExtension(subject, issuer.get(), NID_ext_key_usage, "serverAuth,clientAuth") ||
      !AddExtension(subject, issuer.get(), NID_subject_key_identifier, "hash") ||
      !AddExtension(subject, issuer.get(), NID_authority_key_identifier, "keyid:always")) {
    return Failed("can't make a certificate");
  }
  if (!spec.alternative_names.empty() &&
      !AddExtension(subject, issuer.get(), NID_subject_alt_name,
                    fmt::format("{}", fmt::join(spec.alternative_names, ",")))) {
    return Failed("can't set the alternative names");
  }
  return Sign(std::move(certificate), key, authority_key.get());
}

}  // namespace ridestream::identity
