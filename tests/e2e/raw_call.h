#pragma once

#include <google/protobuf/descriptor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grpcpp/grpcpp.h"

namespace ridestream::e2e {

/// Names and values.
using Metadata = std::vector<std::pair<std::string, std::string>>;

/// One call of any method by its bytes, however wrong: sends all `messages`, half-closes, and
/// returns the status. A stream of answers to one message may have no end: its first answer counts
/// as OK, and it is cancelled. DEADLINE_EXCEEDED when nothing comes within 30 s.
grpc::Status CallRaw(const std::shared_ptr<grpc::Channel>& channel,
                     const google::protobuf::MethodDescriptor& method, const Metadata& metadata,
                     const std::vector<std::string>& messages);

/// "/ridestream.trip.v1.TripService/GetTrip".
std::string PathOf(const google::protobuf::MethodDescriptor& method);

}  // namespace ridestream::e2e
