#include "services/gateway/viewers/pseudonyms.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <memory>

#include "absl/strings/escaping.h"
#include "libs/base/invariant.h"
#include "libs/identity/base64url.h"

namespace ridestream::gateway {
namespace {

using identity::OpenSslRelease;

using Context = std::unique_ptr<EVP_CIPHER_CTX, OpenSslRelease<EVP_CIPHER_CTX_free>>;

constexpr char kCipher[] = "AES-128-SIV";  // Its key has twice 128 bits: half of it authenticates.
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kTagBytes = 16;
/// Ids are padded to a multiple of this length, so that pseudonyms don't reveal the id's length.
constexpr std::size_t kPadBytes = 16;

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// HKDF-SHA256 (RFC 5869). Empty if OpenSSL lacks it.
std::string DeriveKey(std::string_view secret) {
  const std::unique_ptr<EVP_KDF, OpenSslRelease<EVP_KDF_free>> hkdf(
      EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, OpenSslRelease<EVP_KDF_CTX_free>> context(
      EVP_KDF_CTX_new(hkdf.get()));
  if (context == nullptr) return "";
  char digest[] = "SHA256";
  std::string info = "ridestream pseudonyms of drivers";
  std::string input(secret);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, input.data(), input.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end()};
  std::string key(kKeyBytes, '\0');
  if (EVP_KDF_derive(context.get(), Bytes(key), key.size(), parameters) != 1) return "";
  return key;
}

}  // namespace

absl::StatusOr<Pseudonyms> Pseudonyms::FromSecret(std::string_view secret) {
  if (secret.size() < kMinSecretBytes) {
    return absl::InvalidArgumentError(
        fmt::format("a secret has at least {} bytes, this one {}", kMinSecretBytes, secret.size()));
  }
  Cipher cipher(EVP_CIPHER_fetch(nullptr, kCipher, nullptr));
  std::string key = DeriveKey(secret);
  if (cipher == nullptr || key.empty()) {
    return absl::InternalError(fmt::format("OpenSSL offers no {} or no HKDF", kCipher));
  }
  return Pseudonyms(std::move(cipher), std::move(key));
}

absl::StatusOr<Pseudonyms> Pseudonyms::Random() {
  std::string secret(kMinSecretBytes, '\0');
  if (RAND_bytes(Bytes(secret), static_cast<int>(secret.size())) != 1) {
    return absl::InternalError("OpenSSL has no random bytes");
  }
  return FromSecret(secret);
}

std::string Pseudonyms::Hide(std::string_view id) const {
  if (id.empty()) return "";
  std::string padded(id);
  padded.resize((id.size() + kPadBytes - 1) / kPadBytes * kPadBytes, '\0');
  std::string sealed(kTagBytes + padded.size(), '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int size = 0;
  int rest = 0;
  const bool done =
      context != nullptr &&
      EVP_EncryptInit_ex(context.get(), cipher_.get(), nullptr, Bytes(std::string_view(key_)),
                         nullptr) == 1 &&
      EVP_EncryptUpdate(context.get(), Bytes(sealed) + kTagBytes, &size, Bytes(padded),
                        static_cast<int>(padded.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), Bytes(sealed) + kTagBytes + size, &rest) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, Bytes(sealed)) == 1;
  if (!RIDESTREAM_INVARIANT(done, "OpenSSL encrypts an id")) return "";
  return absl::WebSafeBase64Escape(sealed);
}

std::optional<std::string> Pseudonyms::Reveal(std::string_view pseudonym) const {
  std::optional<std::string> sealed = identity::DecodeBase64Url(pseudonym);
  if (!sealed || sealed->size() <= kTagBytes) return std::nullopt;
  std::string id(sealed->size() - kTagBytes, '\0');
  const Context context(EVP_CIPHER_CTX_new());
  int size = 0;
  int rest = 0;
  const bool done =
      context != nullptr &&
      EVP_DecryptInit_ex(context.get(), cipher_.get(), nullptr, Bytes(std::string_view(key_)),
                         nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, Bytes(*sealed)) == 1 &&
      EVP_DecryptUpdate(context.get(), Bytes(id), &size, Bytes(*sealed) + kTagBytes,
                        static_cast<int>(id.size())) == 1 &&
      EVP_DecryptFinal_ex(context.get(), Bytes(id) + size, &rest) == 1;
  if (!done) return std::nullopt;
  id.resize(id.find_last_not_of('\0') + 1);
  return id;
}

}  // namespace ridestream::gateway
