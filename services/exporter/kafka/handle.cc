#include "services/exporter/kafka/handle.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "libs/service/service.h"

namespace ridestream::exporter {
namespace {

/// From any thread of librdkafka's.
void LogLine(const rd_kafka_t* /*client*/, int level, const char* facility, const char* text) {
  constexpr int kSyslogWarning = 4;
  constexpr int kSyslogNotice = 5;
  const service::Level ours = level <= kSyslogWarning  ? service::Level::kWarning
                              : level <= kSyslogNotice ? service::Level::kInfo
                                                       : service::Level::kDebug;
  service::Log(ours, "kafka", {{"facility", facility}, {"message", text}});
}

}  // namespace

absl::StatusOr<KafkaClient> MakeClient(rd_kafka_type_t type, const KafkaSettings& settings,
                                       int events) {
  std::array<char, 512> reason{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, &LogLine);
  // The log has these errors already, and would have each of them once more without this function.
  rd_kafka_conf_set_error_cb(conf, [](rd_kafka_t*, int, const char*, void*) {});
  if (events != 0) rd_kafka_conf_set_events(conf, events);
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size()) !=
        RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      return absl::InvalidArgumentError(fmt::format("Kafka's setting {}: {}", name, reason.data()));
    }
  }
  rd_kafka_t* client = rd_kafka_new(type, conf, reason.data(), reason.size());
  if (client != nullptr) return KafkaClient(client);  // It owns the settings now.
  rd_kafka_conf_destroy(conf);
  return absl::InvalidArgumentError(fmt::format("Kafka's settings: {}", reason.data()));
}

absl::Status ToStatus(rd_kafka_resp_err_t code, const std::string& what, const std::string& why) {
  const std::string message = fmt::format("{}: {} ({})", what, why, rd_kafka_err2name(code));
  switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return absl::OkStatus();
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
      return absl::AbortedError("another exporter has taken the topic over: " + message);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return absl::PermissionDeniedError(message);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return absl::NotFoundError(message);
    default:
      return absl::UnavailableError(message);
  }
}

absl::Status ToStatus(rd_kafka_error_t* error, const std::string& what) {
  const KafkaPtr<rd_kafka_error_t> owned(error);
  if (owned == nullptr) return absl::OkStatus();
  return ToStatus(rd_kafka_error_code(owned.get()), what, rd_kafka_error_string(owned.get()));
}

absl::StatusOr<KafkaSettings> ReadSettings(const std::string& path) {
  // A directory opens as an empty file; Docker makes one of a file that is mounted and isn't there.
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return absl::InvalidArgumentError(fmt::format("{}: is a directory", path));
  }
  std::ifstream file(path);
  if (!file) return absl::InvalidArgumentError(fmt::format("{}: can't be read", path));
  KafkaSettings settings;
  int number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const std::size_t sign = line.find('=');
    if (sign == 0 || sign == std::string::npos) {
      return absl::InvalidArgumentError(fmt::format("{}:{}: must be NAME=VALUE", path, number));
    }
    settings[line.substr(0, sign)] = line.substr(sign + 1);
  }
  return settings;
}

}  // namespace ridestream::exporter
