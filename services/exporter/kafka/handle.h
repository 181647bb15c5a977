#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ridestream::exporter {

/// Settings of librdkafka by name (see its CONFIGURATION.md), e.g. "bootstrap.servers".
using KafkaSettings = std::map<std::string, std::string>;

struct KafkaDeleter {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
template <class T>
using KafkaPtr = std::unique_ptr<T, KafkaDeleter>;
using KafkaClient = KafkaPtr<rd_kafka_t>;

/// How long one request to the brokers may take.
inline constexpr std::chrono::milliseconds kKafkaTimeout{5'000};
inline constexpr int kKafkaTimeoutMs = static_cast<int>(kKafkaTimeout.count());

/// Creates a client whose log lines are written to our log. `events`: kinds of events
/// (RD_KAFKA_EVENT_…) that the client puts into its main queue. INVALID_ARGUMENT names a wrong
/// setting.
absl::StatusOr<KafkaClient> MakeClient(rd_kafka_type_t type, const KafkaSettings& settings,
                                       int events = 0);

/// `what` says what was attempted. ABORTED if another producer has taken over the transactional id,
/// PERMISSION_DENIED if a right is missing, NOT_FOUND if a topic is missing, otherwise UNAVAILABLE.
absl::Status ToStatus(rd_kafka_resp_err_t code, const std::string& what, const std::string& why);
/// Takes ownership; null is OK.
absl::Status ToStatus(rd_kafka_error_t* error, const std::string& what);

/// Reads NAME=VALUE lines, where # begins a comment line. INVALID_ARGUMENT when the file can't be
/// read or has an invalid line.
absl::StatusOr<KafkaSettings> ReadSettings(const std::string& path);

}  // namespace ridestream::exporter
