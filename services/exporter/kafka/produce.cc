#include "services/exporter/kafka/produce.h"

#include <fmt/format.h>

#include <vector>

namespace ridestream::exporter {

absl::Status Produce(rd_kafka_t* producer, const std::string& topic, const Record& record) {
  const auto pointer = [](const std::string& text) {
    return const_cast<char*>(text.data());  // NOLINT: librdkafka copies it, as MSGFLAGS says.
  };
  std::vector<rd_kafka_vu_t> values(4 + record.headers.size());
  values[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  values[0].u.cstr = topic.c_str();
  values[1].vtype = RD_KAFKA_VTYPE_KEY;
  values[1].u.mem = {pointer(record.key), record.key.size()};
  values[2].vtype = RD_KAFKA_VTYPE_VALUE;
  values[2].u.mem = {pointer(record.value), record.value.size()};
  values[3].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  values[3].u.i = RD_KAFKA_MSG_F_COPY;
  for (std::size_t i = 0; i < record.headers.size(); ++i) {
    const auto& [name, value] = record.headers[i];
    values[4 + i].vtype = RD_KAFKA_VTYPE_HEADER;
    values[4 + i].u.header = {name.c_str(), value.data(), static_cast<ssize_t>(value.size())};
  }
  return ToStatus(rd_kafka_produceva(producer, values.data(), values.size()),
                  fmt::format("producing to topic {}", topic));
}

}  // namespace ridestream::exporter
