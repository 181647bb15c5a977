#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "libs/identity/token.h"

namespace ridestream::identity {

/// Subjects and tokens that are refused although their tokens are valid. Immutable, hence
/// thread-safe.
class Revocations {
 public:
  /// Parses one entry per line: "sub ada" revokes all tokens of that subject, "jti 4711" that one
  /// token. Empty lines and lines that begin with # are skipped. INVALID_ARGUMENT, with the line,
  /// for anything else: skipping a malformed entry would admit a revoked caller.
  static absl::StatusOr<std::shared_ptr<const Revocations>> Parse(std::string_view text);

  bool Contain(const Claims& claims) const;
  std::size_t size() const { return subjects_.size() + token_ids_.size(); }

 private:
  std::set<std::string, std::less<>> subjects_;
  std::set<std::string, std::less<>> token_ids_;
};

}  // namespace ridestream::identity
