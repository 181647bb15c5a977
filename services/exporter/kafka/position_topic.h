#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "services/exporter/domain/record.h"
#include "services/exporter/kafka/handle.h"

namespace ridestream::exporter {

/// A topic of positions, written without transactions: some may be lost. Used by one thread.
class PositionTopic {
 public:
  struct Options {
    std::string topic;
    /// At least "bootstrap.servers".
    KafkaSettings settings;
  };

  explicit PositionTopic(Options options) : options_(std::move(options)) {}

  /// Returns when the brokers have acknowledged all records, or the first error: NOT_FOUND if the
  /// topic doesn't exist (it isn't created), PERMISSION_DENIED, UNAVAILABLE. Blocks for about 10 s
  /// at most. After an error some of the records may be in the topic.
  absl::Status Write(const std::vector<Record>& records);

 private:
  absl::Status Open();
  absl::Status WriteAll(const std::vector<Record>& records);
  absl::Status AwaitDelivery(std::size_t records);

  const Options options_;
  KafkaClient producer_;  // Null: to be opened.
};

}  // namespace ridestream::exporter
