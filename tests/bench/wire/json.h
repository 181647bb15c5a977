#pragma once

#include <google/protobuf/util/json_util.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ridestream::bench::wire {

/// JSON as protobuf maps it.
inline absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message) {
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json);
  if (!status.ok()) return absl::InternalError(status.ToString());
  return json;
}

inline absl::Status FromJson(const std::string& json, google::protobuf::Message& message) {
  const auto status = google::protobuf::util::JsonStringToMessage(json, &message);
  return status.ok() ? absl::OkStatus() : absl::InvalidArgumentError(status.ToString());
}

}  // namespace ridestream::bench::wire
