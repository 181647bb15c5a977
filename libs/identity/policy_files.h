#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"

namespace ridestream::identity {

/// All services of Ridestream's protos, read from the output of protoc --descriptor_set_out,
/// including those that this program isn't linked with. Immutable.
class ProtoServices {
 public:
  static absl::StatusOr<ProtoServices> Read(const std::string& path);

  /// In the order of the files. The descriptors live as long as this object.
  const std::vector<const google::protobuf::ServiceDescriptor*>& services() const {
    return services_;
  }

 private:
  std::unique_ptr<google::protobuf::DescriptorPool> pool_;
  std::vector<const google::protobuf::ServiceDescriptor*> services_;
};

}  // namespace ridestream::identity
