#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ridestream::loadtest {

/// The auditor's checks, in the order of the report.
enum class Check {
  kRequestAnsweredOnce,
  kAcceptedTripEnded,
  kLegalTransition,
  kOneDriverPerTrip,
  kSeatsNotExceeded,
  kOfferEnded,
  kOneOpenOffer,
  kNotOfferedAgain,
  kPlanAcked,
  kPlanVersionGrows,
  kRouteKnown,
  kPushSequence,
  kSessionEpochGrows,
  kFareEqualsQuote,
  kPromiseKept,
  kRiderSawRecord,
  kDriverDidRecord,
  kListEqualsLog,
  kPositionsIndexed,
};
inline constexpr size_t kCheckCount = static_cast<size_t>(Check::kPositionsIndexed) + 1;

/// "request_answered_once": stable, for JSON.
std::string_view Name(Check check);
/// A description for people: "every request answered exactly once".
std::string_view Meaning(Check check);

/// A violation of a rule.
struct Violation {
  Check check;
  std::string text;  ///< Who and what, with ids and values.
};

/// Counts what each check looked at and how often it failed. Not thread-safe.
class Verdict {
 public:
  /// Further violations are counted but not kept.
  static constexpr size_t kKeptViolations = 100;

  void Looked(Check check, std::uint64_t things = 1) { Of(check).looked_at += things; }
  void Violated(Check check, std::string text);
  /// Adds a violation for each check that looked at nothing, because such a check has shown
  /// nothing. Call once, last.
  void Close();

  struct Count {
    std::uint64_t looked_at = 0;
    std::uint64_t violations = 0;
  };
  const Count& count(Check check) const { return counts_[static_cast<size_t>(check)]; }
  std::uint64_t checked() const;
  std::uint64_t violations() const;
  bool clean() const { return violations() == 0; }
  /// In the order they were found.
  const std::vector<Violation>& first() const { return first_; }

 private:
  Count& Of(Check check) { return counts_[static_cast<size_t>(check)]; }
  std::array<Count, kCheckCount> counts_;
  std::vector<Violation> first_;
};

}  // namespace ridestream::loadtest
