#pragma once

#include <array>
#include <string_view>

namespace ridestream::sim {

/// Mistakes that the wiring of a run can be given, each a line in one place, to show that the
/// simulation would find them. All are mistakes that somebody could make in the shells.
enum class Bug {
  kNone,
  kNoFencing,              // An older stream's messages count as the newest one's.
  kLateEndRemovesSession,  // The end of an older stream disconnects the newer one.
  kLeaseNotChecked,        // An answer counts however late it is.
  kAckBeforeCommit,        // Trip answers when a row is written, not when it is synced.
  kWriteCountsAsAck,       // A push that was written is not kept for a resume.
  kRequestIdIgnored,       // A repeated request isn't known as such.
  kOfferIdChanges,         // A repeated assignment comes under another offer.
  kPlanVersionsBeginAnew,  // What the driver says of its plan's version isn't heeded.
  kEpochsBeginAnew,        // Nor what it says of its epoch.
  kSeatsNotChecked,        // Every car is taken for a bus.
  kSilenceNotTold,         // The market doesn't hear that a driver fell silent.
  // Of riders who share:
  kInsertionsWithoutSeats,  // The planner takes every car under way for a bus.
  kOthersPromisesIgnored,   // It heeds the promise of the rider who gets in, and no other.
  kBrokenPromiseNotTold,    // What riders are told leaves out that a promise is broken.
};

struct NamedBug {
  Bug bug;
  std::string_view name;
};
inline constexpr std::array kBugs = {
    NamedBug{Bug::kNoFencing, "no_fencing"},
    NamedBug{Bug::kLateEndRemovesSession, "late_end_removes_session"},
    NamedBug{Bug::kLeaseNotChecked, "lease_not_checked"},
    NamedBug{Bug::kAckBeforeCommit, "ack_before_commit"},
    NamedBug{Bug::kWriteCountsAsAck, "write_counts_as_ack"},
    NamedBug{Bug::kRequestIdIgnored, "request_id_ignored"},
    NamedBug{Bug::kOfferIdChanges, "offer_id_changes"},
    NamedBug{Bug::kPlanVersionsBeginAnew, "plan_versions_begin_anew"},
    NamedBug{Bug::kEpochsBeginAnew, "epochs_begin_anew"},
    NamedBug{Bug::kSeatsNotChecked, "seats_not_checked"},
    NamedBug{Bug::kSilenceNotTold, "silence_not_told"},
    NamedBug{Bug::kInsertionsWithoutSeats, "insertions_without_seats"},
    NamedBug{Bug::kOthersPromisesIgnored, "others_promises_ignored"},
    NamedBug{Bug::kBrokenPromiseNotTold, "broken_promise_not_told"},
};

}  // namespace ridestream::sim
