#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ridestream/exporter/v1/exporter.pb.h"
#include "services/exporter/domain/record.h"

namespace ridestream::exporter {

/// The topic to which events are exported, with its position. Used by one thread; calls block for
/// seconds at most.
///
/// Errors of both calls: ABORTED when another exporter has taken the topic over,
/// FAILED_PRECONDITION and PERMISSION_DENIED when somebody has to change something; after any other
/// error the topic is to be opened again.
class EventTopic {
 public:
  struct Opened {
    /// Sequence 0 when nothing was exported yet.
    v1::ExportPosition position;
    std::uint32_t partitions = 0;
  };

  virtual ~EventTopic() = default;
  /// Takes the topic over: earlier writers, including this exporter, can't write any more, and
  /// their unfinished transactions are aborted. Returns the position, which no other writer can
  /// move now.
  virtual absl::StatusOr<Opened> Open() = 0;
  /// Writes the records and their position, all or nothing. After an error either may be the case:
  /// Open tells.
  virtual absl::Status Write(const std::vector<Record>& records,
                             const v1::ExportPosition& position) = 0;
};

/// The trip log, whose events go into an EventQueue.
class EventLog {
 public:
  virtual ~EventLog() = default;
  /// Begins with the event after this sequence. What was followed before has ended when it returns.
  virtual void FollowAfter(std::uint64_t sequence) = 0;
  /// No event comes any more when it returns.
  virtual void Stop() = 0;
};

}  // namespace ridestream::exporter
