#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "libs/identity/token.h"

namespace ridestream::identity {

/// Subjects and tokens that are refused although their tokens are valid. Immutable, so thread-safe.
class Revocations {
 public:
  /// Reads one entry a line: "sub ada" refuses all tokens of that subject, "jti 4711" the one
  /// token. Empty lines and lines that begin with # are skipped. INVALID_ARGUMENT, naming the line,
  /// for anything else: a list that is only half understood would let somebody in.
  static absl::StatusOr<std::shared_ptr<const Revocations>> Parse(std::string_view text);

  bool Contain(const Claims& claims) const;
  std::size_t size() const { return subjects_.size() + token_ids_.size(); }

 private:
  std::set<std::string, std::less<>> subjects_;
  std::set<std::string, std::less<>> token_ids_;
};

}  // namespace ridestream::identity
