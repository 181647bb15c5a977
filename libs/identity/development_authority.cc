#include "libs/identity/development_authority.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>

#include "libs/base/validation.h"
#include "libs/identity/certificates.h"
#include "libs/identity/reloaded_file.h"
#include "libs/identity/service_uri.h"
#include "libs/identity/token_signer.h"

namespace ridestream::identity {
namespace {

constexpr std::size_t kMaxKeyBytes = 64 << 10;

absl::Status WriteAll(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return absl::ErrnoToStatus(errno, "can't be written");
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

/// Replaces the file atomically by one that only its owner may read.
absl::Status WritePrivately(const std::string& path, std::string_view content) {
  std::string temporary = path + ".XXXXXX";
  const int file = mkostemp(temporary.data(), O_CLOEXEC);  // Mode 0600.
  if (file < 0) return absl::ErrnoToStatus(errno, path + " can't be made");
  absl::Status status = WriteAll(file, content);
  if (close(file) != 0 && status.ok()) status = absl::ErrnoToStatus(errno, "can't be closed");
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) {
    status = absl::ErrnoToStatus(errno, "can't be put in place");
  }
  if (!status.ok()) {
    unlink(temporary.c_str());
    return absl::Status(status.code(), path + ": " + std::string(status.message()));
  }
  return status;
}

absl::Status MakeFolder(const std::string& folder) {
  std::error_code error;  // Missing folders make the writes below fail.
  std::filesystem::create_directories(std::filesystem::path(folder).parent_path(), error);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, folder + " can't be made");
  }
  if (chmod(folder.c_str(), 0700) != 0) {
    return absl::ErrnoToStatus(errno, folder + " can't be closed to others");
  }
  return absl::OkStatus();
}

absl::Status CreateCertificates(const std::string& folder,
                                const DevelopmentAuthority::Options& options, Time now) {
  const auto begin = std::chrono::floor<std::chrono::seconds>(now) - std::chrono::hours(1);
  const auto end = begin + options.validity;
  const auto authority = MakeAuthority(
      {.common_name = "Ridestream development", .not_before = begin, .not_after = end});
  if (!authority.ok()) return authority.status();
  absl::Status status = WritePrivately(folder + "/authority.pem", authority->certificate_pem);
  for (const std::string& entry : options.services) {
    if (!status.ok()) return status;
    const std::size_t equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    const std::string service = equals == std::string::npos ? name : entry.substr(equals + 1);
    if (status = ValidateId(name, "the name of a certificate"); !status.ok()) return status;
    if (status = ValidateId(service, "service"); !status.ok()) return status;
    const auto issued = IssueCertificate(
        *authority, {.common_name = name,
                     .alternative_names = {"URI:" + ServiceUri(service), "DNS:" + name,
                                           "DNS:localhost", "IP:127.0.0.1", "IP:::1"},
                     .not_before = begin,
                     .not_after = end});
    if (!issued.ok()) return issued.status();
    status = WritePrivately(fmt::format("{}/{}.key", folder, name), issued->key_pem);
    if (!status.ok()) return status;
    status = WritePrivately(fmt::format("{}/{}.pem", folder, name), issued->certificate_pem);
  }
  return status;
}

}  // namespace

TokenRules DevelopmentTokenRules() {
  return {.issuer = "ridestream-development", .audience = "ridestream"};
}

absl::Status DevelopmentAuthority::Create(const std::string& folder, const Options& options,
                                          Time now) {
  absl::Status status = MakeFolder(folder);
  if (status.ok()) status = CreateCertificates(folder, options, now);
  if (!status.ok()) return status;
  const auto id = RandomId();
  if (!id.ok()) return id.status();
  const auto signer = TokenSigner::Generate(Algorithm::kEs256, *id);
  if (!signer.ok()) return signer.status();
  status = WritePrivately(folder + "/revoked", "");
  if (status.ok()) status = WritePrivately(folder + "/jwks.json", signer->PublicJwks());
  // Written last: a reader that finds this file finds the others too.
  if (status.ok()) status = WritePrivately(folder + "/tokens.jwk", signer->PrivateJwk());
  return status;
}

absl::StatusOr<TokenSigner> DevelopmentAuthority::ReadSigner(const std::string& folder) {
  const std::string path = folder + "/tokens.jwk";
  const auto key = ReadWholeFile(path, kMaxKeyBytes);
  if (!key.ok()) {
    return absl::Status(key.status().code(), path + " " + std::string(key.status().message()));
  }
  auto signer = TokenSigner::FromPrivateJwk(*key);
  if (!signer.ok()) {
    return absl::Status(signer.status().code(),
                        path + ": " + std::string(signer.status().message()));
  }
  return signer;
}

absl::StatusOr<std::string> DevelopmentAuthority::MintToken(const std::string& folder,
                                                            const Principal& principal, Time now,
                                                            std::chrono::seconds lifetime) {
  if (principal.role == Role::kService) {
    return absl::InvalidArgumentError(
        "a service proves its identity by a certificate, not by a token");
  }
  if (absl::Status status = ValidateId(principal.id, "the id"); !status.ok()) return status;
  if (absl::Status status = ValidateOptionalId(principal.market, "market"); !status.ok()) {
    return status;
  }
  const auto signer = ReadSigner(folder);
  if (!signer.ok()) return signer.status();
  return signer->Mint(principal, DevelopmentTokenRules(), now, lifetime);
}

absl::StatusOr<std::string> CreateTokenKey(const std::string& path) {
  const auto id = RandomId();
  if (!id.ok()) return id.status();
  const auto signer = TokenSigner::Generate(Algorithm::kEs256, *id);
  if (!signer.ok()) return signer.status();
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return absl::ErrnoToStatus(errno, path + " can't be made");
  absl::Status status = WriteAll(file, signer->PrivateJwk());
  if (close(file) != 0 && status.ok()) status = absl::ErrnoToStatus(errno, "can't be closed");
  if (!status.ok()) {
    unlink(path.c_str());
    return absl::Status(status.code(), path + ": " + std::string(status.message()));
  }
  return signer->PublicJwks();
}

absl::StatusOr<Principal> ParsePrincipal(std::string_view name) {
  const std::size_t slash = name.find('/');
  const std::optional<Role> role = RoleFromToken(name.substr(0, slash));
  if (slash == name.npos || !role) {
    return absl::InvalidArgumentError(
        "a caller is rider/ID, driver/ID, operator/ID or viewer/ID, e.g. rider/ada");
  }
  Principal principal{*role, std::string(name.substr(slash + 1))};
  if (absl::Status status = ValidateId(principal.id, "the id"); !status.ok()) return status;
  return principal;
}

}  // namespace ridestream::identity
