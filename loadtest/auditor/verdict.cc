#include "loadtest/auditor/verdict.h"

#include <utility>

namespace ridestream::loadtest {
namespace {

struct Words {
  std::string_view name, meaning;
};

constexpr std::array<Words, kCheckCount> kWords = {{
    {"request_answered_once", "every request answered exactly once, with one trip"},
    {"accepted_trip_ended", "every accepted trip ended, or is open as its rider saw it"},
    {"legal_transition", "only legal transitions, one version a step, times in order"},
    {"one_driver_per_trip", "one driver a trip, who had accepted it"},
    {"seats_not_exceeded", "no driver beyond its seats"},
    {"offer_ended", "every offer ended exactly once"},
    {"one_open_offer", "no driver with two open offers"},
    {"not_offered_again", "no driver offered again a trip that it lost or gave up"},
    {"plan_acked", "every plan version acked or replaced"},
    {"plan_version_grows", "plan versions strictly growing"},
    {"route_known", "every plan's route sent, well-formed"},
    {"push_sequence", "push sequences without gap or repeat"},
    {"session_epoch_grows", "every session with a larger epoch"},
    {"fare_equals_quote", "fares equal quotes, and the tariff's sum"},
    {"promise_kept", "promises as quoted, broken ones notified"},
    {"rider_saw_record", "what riders saw is what is on record, in order"},
    {"driver_did_record", "what is on record is what the driver did"},
    {"list_equals_log", "the list of trips equals the log"},
    {"positions_indexed", "positions sent can be found in the index"},
}};

}  // namespace

std::string_view Name(Check check) { return kWords[static_cast<size_t>(check)].name; }
std::string_view Meaning(Check check) { return kWords[static_cast<size_t>(check)].meaning; }

void Verdict::Violated(Check check, std::string text) {
  ++Of(check).violations;
  if (first_.size() < kKeptViolations) first_.push_back({check, std::move(text)});
}

void Verdict::Close() {
  for (size_t i = 0; i < kCheckCount; ++i) {
    if (counts_[i].looked_at == 0) Violated(static_cast<Check>(i), "looked at nothing");
  }
}

std::uint64_t Verdict::checked() const {
  std::uint64_t sum = 0;
  for (const Count& count : counts_) sum += count.looked_at;
  return sum;
}

std::uint64_t Verdict::violations() const {
  std::uint64_t sum = 0;
  for (const Count& count : counts_) sum += count.violations;
  return sum;
}

}  // namespace ridestream::loadtest
