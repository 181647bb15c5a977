#include "services/exporter/kafka/topic_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ridestream::exporter {

absl::StatusOr<TopicReader> TopicReader::Make(KafkaSettings settings) {
  // The reader joins no group and commits nothing, but librdkafka requires a name.
  settings.emplace("group.id", "ridestream-exporter");
  settings["enable.auto.commit"] = "false";
  settings["isolation.level"] = "read_committed";
  settings["enable.partition.eof"] = "true";
  auto client = MakeClient(RD_KAFKA_CONSUMER, settings);
  if (!client.ok()) return client.status();
  rd_kafka_poll_set_consumer(client->get());
  return TopicReader(*std::move(client), settings["bootstrap.servers"]);
}

absl::StatusOr<std::uint32_t> TopicReader::CountPartitions(const std::string& topic) {
  rd_kafka_topic_t* handle = rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr);
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(client_.get(), 0, handle, &metadata, kKafkaTimeoutMs);
  rd_kafka_topic_destroy(handle);
  const std::string what = fmt::format("topic {}", topic);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToStatus(error, fmt::format("no broker of {} answers", servers_),
                    rd_kafka_err2str(error));
  }
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  const rd_kafka_resp_err_t topic_error = found.err;
  const auto partitions = static_cast<std::uint32_t>(found.partition_cnt);
  rd_kafka_metadata_destroy(metadata);
  if (topic_error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToStatus(topic_error, what, rd_kafka_err2str(topic_error));
  }
  return partitions;
}

absl::StatusOr<std::string> TopicReader::ReadSetting(const std::string& topic,
                                                     const std::string& name) {
  const std::string what = fmt::format("settings of topic {}", topic);
  const KafkaPtr<rd_kafka_queue_t> queue(rd_kafka_queue_new(client_.get()));
  rd_kafka_ConfigResource_t* resource =
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  rd_kafka_DescribeConfigs(client_.get(), &resource, 1, nullptr, queue.get());
  rd_kafka_ConfigResource_destroy(resource);
  const KafkaPtr<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), kKafkaTimeoutMs));
  if (event == nullptr) return absl::UnavailableError(what + ": no broker answers");
  if (const auto error = rd_kafka_event_error(event.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToStatus(error, what, rd_kafka_event_error_string(event.get()));
  }
  std::size_t count = 0;
  const auto* const* resources = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  if (count == 0) return absl::UnavailableError(what + ": the broker's answer is empty");
  if (const auto error = rd_kafka_ConfigResource_error(resources[0]);
      error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToStatus(error, what, rd_kafka_ConfigResource_error_string(resources[0]));
  }
  const auto* const* entries = rd_kafka_ConfigResource_configs(resources[0], &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (name != rd_kafka_ConfigEntry_name(entries[i])) continue;
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    return std::string(value == nullptr ? "" : value);
  }
  return absl::UnavailableError(fmt::format("{}: there is no {}", what, name));
}

absl::StatusOr<std::optional<std::string>> TopicReader::ReadNewest(const std::string& topic) {
  const auto offsets = Offsets(topic, 0);
  if (!offsets.ok()) return offsets.status();
  // The end may hold nothing but the marks of transactions, and what was never committed.
  std::int64_t span = 16;
  for (;;) {
    const std::int64_t from = std::max(offsets->begin, offsets->end - span);
    auto newest = ReadNewestFrom(topic, 0, from);
    if (!newest.ok() || newest->has_value() || from == offsets->begin) return newest;
    span *= 16;
  }
}

absl::StatusOr<bool> TopicReader::HasRecords(const std::string& topic, std::uint32_t partitions) {
  for (std::int32_t partition = 0; partition < static_cast<std::int32_t>(partitions); ++partition) {
    const auto offsets = Offsets(topic, partition);
    if (!offsets.ok()) return offsets.status();
    if (offsets->begin == offsets->end) continue;
    const auto newest = ReadNewestFrom(topic, partition, offsets->begin);
    if (!newest.ok()) return newest.status();
    if (newest->has_value()) return true;
  }
  return false;
}

absl::StatusOr<bool> TopicReader::WasWritten(const std::string& topic, std::uint32_t partitions) {
  for (std::int32_t partition = 0; partition < static_cast<std::int32_t>(partitions); ++partition) {
    const auto offsets = Offsets(topic, partition);
    if (!offsets.ok()) return offsets.status();
    if (offsets->end > 0) return true;
  }
  return false;
}

absl::StatusOr<TopicReader::Range> TopicReader::Offsets(const std::string& topic,
                                                        std::int32_t partition) {
  Range range;
  const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
      client_.get(), topic.c_str(), partition, &range.begin, &range.end, kKafkaTimeoutMs);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return range;
  return ToStatus(error, fmt::format("offsets of topic {}", topic), rd_kafka_err2str(error));
}

absl::StatusOr<std::optional<std::string>> TopicReader::ReadNewestFrom(const std::string& topic,
                                                                       std::int32_t partition,
                                                                       std::int64_t offset) {
  const std::string what = fmt::format("reading partition {} of topic {}", partition, topic);
  const KafkaPtr<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  if (const auto error = rd_kafka_assign(client_.get(), list.get());
      error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ToStatus(error, what, rd_kafka_err2str(error));
  }
  std::optional<std::string> newest;
  for (;;) {
    const KafkaPtr<rd_kafka_message_t> message(
        rd_kafka_consumer_poll(client_.get(), kKafkaTimeoutMs));
    if (message == nullptr) return absl::UnavailableError(what + ": no broker answers");
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return newest;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return ToStatus(message->err, what, rd_kafka_message_errstr(message.get()));
    }
    newest = std::string(static_cast<const char*>(message->payload), message->len);
  }
}

}  // namespace ridestream::exporter
