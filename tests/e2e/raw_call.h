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

/// Makes one call of any method by its bytes, valid or not: sends all `messages`, half-closes, and
/// returns the status. A server stream may have no end, so its first response counts as OK, and the
/// call is cancelled. DEADLINE_EXCEEDED if nothing arrives within 30 s.
grpc::Status CallRaw(const std::shared_ptr<grpc::Channel>& channel,
                     const google::protobuf::MethodDescriptor& method, const Metadata& metadata,
                     const std::vector<std::string>& messages);

/// "/ridestream.trip.v1.TripService/GetTrip".
std::string PathOf(const google::protobuf::MethodDescriptor& method);

}  // namespace ridestream::e2e
