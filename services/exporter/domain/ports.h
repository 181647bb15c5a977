#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ridestream/exporter/v1/exporter.pb.h"
#include "services/exporter/domain/record.h"

namespace ridestream::exporter {

/// The topic to which events are exported, with the position of the last one. Used by one thread;
/// calls block for seconds at most.
/// Errors of both calls: ABORTED if another exporter has taken over the topic, FAILED_PRECONDITION
/// and PERMISSION_DENIED if the configuration has to be changed. After any other error the topic
/// must be opened again.
class EventTopic {
 public:
  struct Opened {
    /// Sequence 0 if nothing has been exported yet.
    v1::ExportPosition position;
    std::uint32_t partitions = 0;
  };

  virtual ~EventTopic() = default;
  /// Takes over the topic: earlier writers, including this exporter, can't write any more, and
  /// their open transactions are aborted. Returns the position, which no other writer can change
  /// now.
  virtual absl::StatusOr<Opened> Open() = 0;
  /// Writes the records and their position atomically. After an error they may or may not have been
  /// written; Open returns the actual position.
  virtual absl::Status Write(const std::vector<Record>& records,
                             const v1::ExportPosition& position) = 0;
};

/// The trip log, whose events go into an EventQueue.
class EventLog {
 public:
  virtual ~EventLog() = default;
  /// Starts with the event after this sequence. Following started before has ended when this
  /// returns.
  virtual void FollowAfter(std::uint64_t sequence) = 0;
  /// No further event arrives after this returns.
  virtual void Stop() = 0;
};

}  // namespace ridestream::exporter
