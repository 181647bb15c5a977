#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/exporter/domain/ports.h"
#include "services/exporter/kafka/handle.h"

namespace ridestream::exporter {

/// A Kafka topic, and TOPIC.position beside it, a compacted topic with one partition.
/// Each Write is one transaction over both. Kafka keeps one producer for a transactional id: Open
/// begins as a new one, after which the broker refuses whatever an earlier producer with the same
/// id still sends, and has ended its transaction. So the position that is read then is final, and
/// the events in the topic are exactly those up to it. docs/kafka.md compares this with the
/// alternatives.
class KafkaTopic final : public EventTopic {
 public:
  struct Options {
    std::string topic;
    /// At least "bootstrap.servers".
    KafkaSettings settings;
  };
  /// The broker aborts the transaction of a producer that is gone after this time, unless the next
  /// exporter does so earlier. Consumers wait for it until then.
  static constexpr std::chrono::seconds kTransactionTimeout{10};

  explicit KafkaTopic(Options options) : options_(std::move(options)) {}

  absl::StatusOr<Opened> Open() override;
  absl::Status Write(const std::vector<Record>& records,
                     const v1::ExportPosition& position) override;

  /// INVALID_ARGUMENT names a setting that is unknown, wrong, or this class's own.
  static absl::Status CheckSettings(KafkaSettings settings);

 private:
  std::string position_topic() const { return options_.topic + ".position"; }
  absl::StatusOr<KafkaClient> MakeProducer() const;
  absl::Status WriteAll(const std::vector<Record>& records, const v1::ExportPosition& position);

  const Options options_;
  KafkaClient producer_;
};

}  // namespace ridestream::exporter
