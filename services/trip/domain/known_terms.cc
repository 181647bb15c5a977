#include "services/trip/domain/known_terms.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/rpc/stale_term.h"

namespace ridestream::trip {

void KnownTerms::Learn(const std::string& market, std::uint64_t term) {
  MutexLock lock(mu_);
  std::uint64_t& newest = newest_[market];
  newest = std::max(newest, term);
}

absl::Status KnownTerms::Accept(const std::string& market, std::uint64_t term) {
  MutexLock lock(mu_);
  std::uint64_t& newest = newest_[market];
  if (term < newest) {
    return rpc::MarkStaleTerm(absl::FailedPreconditionError(fmt::format(
        "term {} of market '{}' is over: its lease is in term {}", term, market, newest)));
  }
  newest = term;
  return absl::OkStatus();
}

}  // namespace ridestream::trip
