#include "services/exporter/kafka/kafka_topic.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "services/exporter/kafka/produce.h"
#include "services/exporter/kafka/topic_reader.h"

namespace ridestream::exporter {
namespace {

/// What Write and Open rely on.
constexpr std::array kOwnSettings = {
    "transactional.id", "transaction.timeout.ms", "enable.idempotence", "acks",
    "isolation.level",  "enable.partition.eof",   "bootstrap.servers",  "metadata.broker.list"};

/// FAILED_PRECONDITION unless the topic's cleanup.policy is this one.
absl::Status CheckPolicy(TopicReader& reader, const std::string& topic, const std::string& policy,
                         const std::string& reason) {
  const auto found = reader.ReadSetting(topic, "cleanup.policy");
  if (!found.ok()) return found.status();
  if (*found == policy) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "topic {}: cleanup.policy is {} and must be {}: {}", topic, *found, policy, reason));
}

absl::StatusOr<v1::ExportPosition> ReadPosition(TopicReader& reader, const std::string& topic) {
  const auto newest = reader.ReadNewest(topic);
  if (!newest.ok()) return newest.status();
  v1::ExportPosition position;
  if (!newest->has_value()) return position;
  if (!position.ParseFromString(**newest) || position.sequence() == 0) {
    return absl::FailedPreconditionError(
        fmt::format("topic {}: the newest record isn't an ExportPosition", topic));
  }
  return position;
}

/// FAILED_PRECONDITION if one of the two topics was deleted or recreated without the other.
absl::Status CheckTogether(TopicReader& reader, const std::string& topic, std::uint32_t partitions,
                           std::uint64_t sequence) {
  if (sequence > 0) {
    const auto was_written = reader.WasWritten(topic, partitions);
    if (!was_written.ok() || *was_written) return was_written.status();
    return absl::FailedPreconditionError(fmt::format(
        "{0}.position says that events up to sequence {1} were exported, but topic {0} is new: "
        "delete both topics to export the log again",
        topic, sequence));
  }
  const auto has_records = reader.HasRecords(topic, partitions);
  if (!has_records.ok() || !*has_records) return has_records.status();
  return absl::FailedPreconditionError(
      fmt::format("topic {0} holds records, but {0}.position holds none, so it is unknown which "
                  "events were exported: export to another topic, or delete both",
                  topic));
}

}  // namespace

absl::Status KafkaTopic::CheckSettings(KafkaSettings settings) {
  for (const char* own : kOwnSettings) {
    if (settings.contains(own)) {
      return absl::InvalidArgumentError(fmt::format("{}: is set by the exporter itself", own));
    }
  }
  settings["bootstrap.servers"] = "127.0.0.1:9";  // Nobody connects.
  settings["log_level"] = "2";
  return MakeClient(RD_KAFKA_PRODUCER, settings).status();
}

absl::StatusOr<KafkaClient> KafkaTopic::MakeProducer() const {
  KafkaSettings settings = options_.settings;
  settings["transactional.id"] = "ridestream-exporter." + options_.topic;
  settings["transaction.timeout.ms"] =
      std::to_string(std::chrono::milliseconds(kTransactionTimeout).count());
  settings["enable.idempotence"] = "true";
  settings.emplace("linger.ms", "0");  // A batch is complete before it is produced.
  return MakeClient(RD_KAFKA_PRODUCER, settings);
}

absl::StatusOr<EventTopic::Opened> KafkaTopic::Open() {
  producer_.reset();
  auto reader = TopicReader::Make(options_.settings);
  if (!reader.ok()) return reader.status();
  // Before anything is taken over.
  const auto partitions = reader->CountPartitions(options_.topic);
  if (!partitions.ok()) return partitions.status();
  const auto positions = reader->CountPartitions(position_topic());
  if (!positions.ok()) return positions.status();
  if (*positions != 1) {
    return absl::FailedPreconditionError(
        fmt::format("topic {}: has {} partitions and must have 1", position_topic(), *positions));
  }
  for (const absl::Status& status :
       {CheckPolicy(*reader, options_.topic, "delete", "compaction would remove events of trips"),
        CheckPolicy(*reader, position_topic(), "compact", "the position would be deleted")}) {
    if (!status.ok()) return status;
  }
  auto producer = MakeProducer();
  if (!producer.ok()) return producer.status();
  absl::Status status = ToStatus(rd_kafka_init_transactions(producer->get(), kKafkaTimeoutMs),
                                 fmt::format("taking topic {} over", options_.topic));
  if (!status.ok()) return status;
  const auto position = ReadPosition(*reader, position_topic());
  if (!position.ok()) return position.status();
  status = CheckTogether(*reader, options_.topic, *partitions, position->sequence());
  if (!status.ok()) return status;
  producer_ = *std::move(producer);
  return Opened{*position, *partitions};
}

absl::Status KafkaTopic::Write(const std::vector<Record>& records,
                               const v1::ExportPosition& position) {
  const auto begin = std::chrono::steady_clock::now();
  absl::Status status = WriteAll(records, position);
  if (absl::IsAborted(status) && std::chrono::steady_clock::now() - begin >= kTransactionTimeout) {
    // This process was suspended for so long that the broker ended its transaction.
    return absl::UnavailableError(status.message());
  }
  return status;
}

absl::Status KafkaTopic::WriteAll(const std::vector<Record>& records,
                                  const v1::ExportPosition& position) {
  absl::Status status =
      ToStatus(rd_kafka_begin_transaction(producer_.get()), "beginning a transaction");
  for (const Record& record : records) {
    if (!status.ok()) return status;
    status = Produce(producer_.get(), options_.topic, record);
  }
  if (status.ok()) {
    status = Produce(producer_.get(), position_topic(),
                     {.key = options_.topic, .value = position.SerializeAsString(), .headers = {}});
  }
  if (!status.ok()) return status;
  // Sends what was produced and waits for the brokers' acknowledgements first.
  return ToStatus(
      rd_kafka_commit_transaction(producer_.get(), kKafkaTimeoutMs),
      fmt::format("writing {} events up to sequence {}", records.size(), position.sequence()));
}

}  // namespace ridestream::exporter
