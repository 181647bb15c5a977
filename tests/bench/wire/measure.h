#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "tests/bench/wire/protocol.h"

namespace ridestream::bench::wire {

struct MeasureOptions {
  std::chrono::duration<double> length{1};  ///< Of each measurement.
  int callers = 8;                          ///< Clients at once where a rate is measured.
  int waiting = 200;                        ///< Clients that wait where memory is measured.
  std::string folder;                       ///< For logs.
};

/// The pauses between two polls of a client without push, between two offers for it, and between
/// two pushes. The first two have no common divisor but 1 ms, so that polls meet offers of every
/// age.
inline constexpr std::chrono::milliseconds kPollEvery{10};
inline constexpr std::chrono::milliseconds kPolledOfferEvery{23};
inline constexpr std::chrono::milliseconds kPushedOfferEvery{2};

/// Figures by TASK.NAME, where TASK is `position`, `quote` or `push` and NAME is
///  * `bytes`: on the connection, both ways together, for one message and its answer;
///  * `message_bytes`: of these, the messages themselves;
///  * `per_s`: messages a second from all clients; not for `push`, which has a fixed pace;
///  * `cpu_us`: the server's CPU time for a message, at that rate;
///  * `p50_us`, `p99_us`: the round trip of a call with nothing else under way; the time from an
///    offer's decision to the client's hand;
/// and `waiting_bytes`: the server's memory for a client that waits. Without the tasks that the
/// protocol can't express. A message of `push` is an offer. Without push its figures include those
/// polls since the last offer that found none.
absl::StatusOr<std::map<std::string, double>> Measure(const Protocol& protocol,
                                                      const MeasureOptions& options);

}  // namespace ridestream::bench::wire
