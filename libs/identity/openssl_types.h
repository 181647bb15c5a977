#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace ridestream::identity {

/// Frees an OpenSSL object with the function of its type.
template <auto Free>
struct OpenSslRelease {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using OpenSslKey = std::unique_ptr<EVP_PKEY, OpenSslRelease<EVP_PKEY_free>>;
using OpenSslCertificate = std::unique_ptr<X509, OpenSslRelease<X509_free>>;
using OpenSslBio = std::unique_ptr<BIO, OpenSslRelease<BIO_free_all>>;

/// A BIO that reads from `pem`, which must outlive it.
inline OpenSslBio PemReader(const std::string& pem) {
  return OpenSslBio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

/// Reads the first private key; nullptr if there is none or it is encrypted. (Without a callback,
/// OpenSSL would ask for a password on the terminal.)
inline OpenSslKey ReadPemKey(const std::string& pem) {
  const auto no_password = [](char*, int, int, void*) { return -1; };
  return OpenSslKey(PEM_read_bio_PrivateKey(PemReader(pem).get(), nullptr, no_password, nullptr));
}

}  // namespace ridestream::identity
