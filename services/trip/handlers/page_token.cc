#include "services/trip/handlers/page_token.h"

#include <fmt/format.h>

#include <string_view>

#include "absl/strings/numbers.h"

namespace ridestream::trip {
namespace {

/// FNV-1a, since a token must be the same in every build and process.
std::uint64_t Fingerprint(const TripFilter& filter) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::string_view text : {std::string_view(filter.rider.str()), std::string_view("/"),
                                      std::string_view(filter.market.str())}) {
    for (const char c : text) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
  }
  return hash;
}

}  // namespace

std::string MakePageToken(const TripFilter& filter, std::uint64_t before) {
  return fmt::format("{}.{:016x}", before, Fingerprint(filter));
}

absl::StatusOr<std::uint64_t> ParsePageToken(const TripFilter& filter, const std::string& token) {
  std::uint64_t before = 0;
  if (!absl::SimpleAtoi(token.substr(0, token.find('.')), &before) || before == 0 ||
      before > INT64_MAX || token != MakePageToken(filter, before)) {
    return absl::InvalidArgumentError(
        "page_token: is not from this list; pass the next_page_token of the previous page, with "
        "the "
        "same rider_id and market");
  }
  return before;
}

}  // namespace ridestream::trip
