#pragma once

#include "google/protobuf/descriptor.h"

namespace ridestream::rpc {

/// The method that takes a request type. Each method has a type of its own, in the same file; `buf
/// lint` and a test check that. Null if there is none.
const google::protobuf::MethodDescriptor* MethodOfRequest(
    const google::protobuf::Descriptor& request_type);

}  // namespace ridestream::rpc
