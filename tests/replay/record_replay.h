#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "libs/base/invariant.h"
#include "services/dispatch/domain/market/market.h"
#include "services/dispatch/record/record.pb.h"

namespace ridestream::replay {

/// While it exists, broken invariants are collected instead of ending the process. At most one per
/// process.
class InvariantWatch {
 public:
  InvariantWatch();
  ~InvariantWatch();
  InvariantWatch(const InvariantWatch&) = delete;
  InvariantWatch& operator=(const InvariantWatch&) = delete;

  /// Invariants that were broken since the last call.
  static std::vector<BrokenInvariant> TakeBroken();
};

/// A market that handles the entries of a record again. Not thread-safe.
class RecordReplay {
 public:
  /// INVALID_ARGUMENT if the header's settings aren't known.
  static absl::StatusOr<std::unique_ptr<RecordReplay>> Start(
      const dispatch::record::Header& header);

  struct Step {
    Time at;
    dispatch::Event event;
    std::vector<dispatch::Decision> decisions;
    /// Whether the decisions equal the recorded bytes.
    bool equal = false;
  };
  /// INVALID_ARGUMENT if the entry's event is unknown.
  absl::StatusOr<Step> Handle(const dispatch::record::Entry& entry);

 private:
  explicit RecordReplay(dispatch::MarketConfig config);

  /// As in the entry, for the rounds that haven't begun.
  std::deque<std::uint32_t> stopped_after_;
  dispatch::Market market_;
  std::string bytes_;
};

}  // namespace ridestream::replay
