#pragma once

#include "google/protobuf/descriptor.h"

namespace ridestream::rpc {

/// The method that takes this request type; null if there is none. Each method has its own request
/// type, in the same file, which `buf lint` and a test check.
const google::protobuf::MethodDescriptor* MethodOfRequest(
    const google::protobuf::Descriptor& request_type);

}  // namespace ridestream::rpc
