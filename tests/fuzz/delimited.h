#pragma once

#include <google/protobuf/io/zero_copy_stream.h>
#include <google/protobuf/util/delimited_message_util.h>

#include <optional>

namespace ridestream::fuzz {

/// The next message of a sequence of length-delimited messages. nullopt at the end, or if the bytes
/// are malformed.
template <class Message>
std::optional<Message> NextMessage(google::protobuf::io::ZeroCopyInputStream& line) {
  Message message;
  bool clean_end = false;
  if (!google::protobuf::util::ParseDelimitedFromZeroCopyStream(&message, &line, &clean_end)) {
    return std::nullopt;
  }
  return message;
}

}  // namespace ridestream::fuzz
