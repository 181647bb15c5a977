#pragma once

#include <string>
#include <string_view>

#include "google/protobuf/descriptor.h"

namespace ridestream::gateway {

/// The comments of the protos, which generated code doesn't contain. They come from a descriptor
/// set that the build embeds. Thread-safe.
class Comments {
 public:
  Comments();
  /// The comment before a method, service, message or field in its proto, without the slashes;
  /// empty if there is none. `name` is the full name.
  std::string Find(const std::string& name) const;

 private:
  google::protobuf::DescriptorPool pool_;
};

/// Serialized google.protobuf.FileDescriptorSet of all the project's protos, with their comments.
extern const std::string_view kApiDescriptors;

}  // namespace ridestream::gateway
