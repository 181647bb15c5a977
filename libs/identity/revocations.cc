#include "libs/identity/revocations.h"

#include <fmt/format.h>

#include <algorithm>

namespace ridestream::identity {

absl::StatusOr<std::shared_ptr<const Revocations>> Revocations::Parse(std::string_view text) {
  auto result = std::make_shared<Revocations>();
  for (int number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const std::string_view kind = line.substr(0, line.find(' '));
    const std::string_view value = line.substr(std::min(line.size(), kind.size() + 1));
    const bool is_plain = !value.empty() && std::all_of(value.begin(), value.end(),
                                                        [](char c) { return c > ' ' && c <= '~'; });
    if ((kind != "sub" && kind != "jti") || !is_plain) {
      return absl::InvalidArgumentError(
          fmt::format("line {} is neither 'sub SUBJECT' nor 'jti TOKEN_ID'", number));
    }
    (kind == "sub" ? result->subjects_ : result->token_ids_).emplace(value);
  }
  return result;
}

bool Revocations::Contain(const Claims& claims) const {
  return subjects_.contains(claims.principal.id) ||
         (!claims.token_id.empty() && token_ids_.contains(claims.token_id));
}

}  // namespace ridestream::identity
