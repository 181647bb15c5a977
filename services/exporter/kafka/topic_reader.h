#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/exporter/kafka/handle.h"

namespace ridestream::exporter {

/// Reads topics as a consumer of committed records. Used by one thread; calls block for a few
/// seconds at most.
class TopicReader {
 public:
  static absl::StatusOr<TopicReader> Make(KafkaSettings settings);

  /// Partitions of a topic. NOT_FOUND when there is no such topic, UNAVAILABLE when no broker
  /// answers.
  absl::StatusOr<std::uint32_t> CountPartitions(const std::string& topic);
  /// A setting of a topic, e.g. "cleanup.policy".
  absl::StatusOr<std::string> ReadSetting(const std::string& topic, const std::string& name);

  /// The value of the newest record of partition 0; nullopt if there is none.
  absl::StatusOr<std::optional<std::string>> ReadNewest(const std::string& topic);
  /// Whether one of the topic's partitions holds a record.
  absl::StatusOr<bool> HasRecords(const std::string& topic, std::uint32_t partitions);
  /// Whether anything was ever written to the topic, even if it wasn't committed or has been
  /// deleted since.
  absl::StatusOr<bool> WasWritten(const std::string& topic, std::uint32_t partitions);

 private:
  struct Range {
    std::int64_t begin = 0;
    std::int64_t end = 0;
  };

  TopicReader(KafkaClient client, std::string servers)
      : client_(std::move(client)), servers_(std::move(servers)) {}
  absl::StatusOr<Range> Offsets(const std::string& topic, std::int32_t partition);
  /// The value of the newest committed record from this offset on.
  absl::StatusOr<std::optional<std::string>> ReadNewestFrom(const std::string& topic,
                                                            std::int32_t partition,
                                                            std::int64_t offset);

  KafkaClient client_;
  std::string servers_;
};

}  // namespace ridestream::exporter
