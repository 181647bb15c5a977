#pragma once

#include <array>
#include <string_view>

namespace ridestream::sim {

/// Mistakes in those shells that the simulation still has copies of, to show that it would find
/// them. Mistakes in the code that it runs itself are patches: see bugs/ and try_bugs.
enum class Bug {
  kNone,
  kNoFencing,              // An older stream's messages count as the newest one's.
  kLateEndRemovesSession,  // The end of an older stream disconnects the newer one.
  kWriteCountsAsAck,       // A push that was written is not kept for a resume.
  kEpochsBeginAnew,        // Nor what it says of its epoch.
  kSilenceNotTold,         // The market doesn't hear that a driver fell silent.
};

struct NamedBug {
  Bug bug;
  std::string_view name;
};
inline constexpr std::array kBugs = {
    NamedBug{Bug::kNoFencing, "no_fencing"},
    NamedBug{Bug::kLateEndRemovesSession, "late_end_removes_session"},
    NamedBug{Bug::kWriteCountsAsAck, "write_counts_as_ack"},
    NamedBug{Bug::kEpochsBeginAnew, "epochs_begin_anew"},
    NamedBug{Bug::kSilenceNotTold, "silence_not_told"},
};

}  // namespace ridestream::sim
