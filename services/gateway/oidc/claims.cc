#include "services/gateway/oidc/claims.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <string_view>

#include "libs/base/validation.h"

namespace ridestream::gateway {
namespace {

using identity::Role;
using nlohmann::json;

constexpr std::size_t kMaxSubjectBytes = 255;

bool IsPointer(const std::string& name) { return name.starts_with('/'); }

/// Null if it is absent.
const json* FindClaim(const json& claims, const std::string& name) {
  if (IsPointer(name)) {
    const json::json_pointer pointer(name);
    return claims.contains(pointer) ? &claims[pointer] : nullptr;
  }
  const auto found = claims.find(name);
  return found == claims.end() ? nullptr : &*found;
}

std::string IdOf(const std::string& subject) {
  if (IsId(subject)) return subject;
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(subject.data()), subject.size(), digest);
  std::string id;
  for (const unsigned char byte : digest) id += fmt::format("{:02x}", byte);
  return id;
}

bool Names(const json& claim, std::string_view role) {
  if (claim.is_string()) return claim.get_ref<const std::string&>() == role;
  if (!claim.is_array()) return false;
  for (const json& each : claim) {
    if (each.is_string() && each.get_ref<const std::string&>() == role) return true;
  }
  return false;
}

Role RoleOf(const json* claim) {
  if (claim == nullptr) return Role::kViewer;
  const bool rider = Names(*claim, "rider");
  const bool driver = Names(*claim, "driver");
  if (rider == driver) return Role::kViewer;
  return rider ? Role::kRider : Role::kDriver;
}

}  // namespace

absl::Status CheckClaimName(const std::string& name) {
  if (name.empty()) return absl::InvalidArgumentError("must name a claim");
  if (!IsPointer(name)) return absl::OkStatus();
  try {
    const json::json_pointer pointer(name);
  } catch (const json::exception&) {
    return absl::InvalidArgumentError("is not a JSON pointer, such as /realm_access/roles");
  }
  return absl::OkStatus();
}

absl::StatusOr<identity::Principal> PersonOf(const json& claims, const ClaimNames& names) {
  const json* const subject = FindClaim(claims, names.subject);
  const std::string text =
      subject != nullptr && subject->is_string() ? subject->get<std::string>() : std::string();
  if (text.empty() || text.size() > kMaxSubjectBytes) {
    return absl::UnauthenticatedError(
        fmt::format("the ID token has no claim {} of 1 to {} bytes; see --oidc_subject_claim",
                    names.subject, kMaxSubjectBytes));
  }
  identity::Principal person{RoleOf(FindClaim(claims, names.role)), IdOf(text)};
  if (const json* const market = FindClaim(claims, "market"); market != nullptr) {
    if (!market->is_string() || !IsId(market->get_ref<const std::string&>())) {
      return absl::UnauthenticatedError("the ID token's claim market is not a market's id");
    }
    person.market = market->get<std::string>();
  }
  return person;
}

}  // namespace ridestream::gateway
