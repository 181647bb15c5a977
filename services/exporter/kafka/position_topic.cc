#include "services/exporter/kafka/position_topic.h"

#include <fmt/format.h>

#include <utility>

#include "services/exporter/kafka/produce.h"
#include "services/exporter/kafka/topic_reader.h"

namespace ridestream::exporter {

absl::Status PositionTopic::Open() {
  auto reader = TopicReader::Make(options_.settings);
  if (!reader.ok()) return reader.status();
  // A producer of a topic that is missing would make many brokers create it.
  if (const auto partitions = reader->CountPartitions(options_.topic); !partitions.ok()) {
    return partitions.status();
  }
  KafkaSettings settings = options_.settings;
  settings["enable.idempotence"] = "true";
  settings["message.timeout.ms"] = std::to_string(kKafkaTimeoutMs);
  auto producer = MakeClient(RD_KAFKA_PRODUCER, settings, RD_KAFKA_EVENT_DR);
  if (!producer.ok()) return producer.status();
  producer_ = *std::move(producer);
  return absl::OkStatus();
}

absl::Status PositionTopic::Write(const std::vector<Record>& records) {
  absl::Status status = producer_ == nullptr ? Open() : absl::OkStatus();
  if (status.ok()) status = WriteAll(records);
  if (!status.ok()) producer_.reset();
  return status;
}

absl::Status PositionTopic::WriteAll(const std::vector<Record>& records) {
  for (const Record& record : records) {
    if (absl::Status status = Produce(producer_.get(), options_.topic, record); !status.ok()) {
      return status;
    }
  }
  return AwaitDelivery(records.size());
}

/// Each record is reported on within message.timeout.ms.
absl::Status PositionTopic::AwaitDelivery(std::size_t records) {
  const KafkaPtr<rd_kafka_queue_t> queue(rd_kafka_queue_get_main(producer_.get()));
  absl::Status first_error;
  while (records > 0) {
    const KafkaPtr<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), 2 * kKafkaTimeoutMs));
    if (event == nullptr) {
      return absl::UnavailableError(
          fmt::format("topic {}: {} records were not reported on", options_.topic, records));
    }
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get())) {
      --records;
      if (first_error.ok()) {
        first_error = ToStatus(message->err, fmt::format("writing to topic {}", options_.topic),
                               rd_kafka_err2str(message->err));
      }
    }
  }
  return first_error;
}

}  // namespace ridestream::exporter
