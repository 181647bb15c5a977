#pragma once

#include <string>

#include "absl/status/status.h"
#include "services/exporter/domain/record.h"
#include "services/exporter/kafka/handle.h"

namespace ridestream::exporter {

/// Queues a copy of the record in the producer; its partition follows from its key.
absl::Status Produce(rd_kafka_t* producer, const std::string& topic, const Record& record);

}  // namespace ridestream::exporter
