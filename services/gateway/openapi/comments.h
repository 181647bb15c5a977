#pragma once

#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"

namespace ridestream::gateway {

/// The comments of the protos, which generated code leaves out: from a set of descriptors that the
/// build compiled in. Thread-safe.
class Comments {
 public:
  Comments();
  /// What stands before a method, service, message or field in its proto, without the slashes;
  /// empty if nothing does. `name` is its full name.
  std::string Of(const std::string& name) const;

 private:
  google::protobuf::DescriptorPool pool_;
};

/// Serialized google.protobuf.FileDescriptorSet of all the project's protos, with their comments.
extern const std::string_view kApiDescriptors;

}  // namespace ridestream::gateway
