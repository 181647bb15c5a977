#pragma once

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "libs/base/mutex.h"

namespace ridestream::trip {

/// The newest term of each market's lease known to this process. Reports that aren't stored are
/// checked against it, since no transaction checks them. Thread-safe.
class KnownTerms {
 public:
  /// The market's lease is, or was, in this term.
  void Learn(const std::string& market, std::uint64_t term);
  /// OK, and records the term, unless a newer term of the market is known. Otherwise
  /// FAILED_PRECONDITION, marked by MarkStaleTerm.
  absl::Status Accept(const std::string& market, std::uint64_t term);

 private:
  Mutex mu_;
  absl::flat_hash_map<std::string, std::uint64_t> newest_ ABSL_GUARDED_BY(mu_);  // By market.
};

}  // namespace ridestream::trip
