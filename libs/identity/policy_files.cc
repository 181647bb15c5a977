#include "libs/identity/policy_files.h"

#include <fmt/format.h>

#include <fstream>
#include <string_view>

#include "google/protobuf/descriptor.pb.h"
#include "ridestream/auth/v1/policy.pb.h"

namespace ridestream::identity {

absl::StatusOr<ProtoServices> ProtoServices::Read(const std::string& path) {
  // The extension must be registered before options are parsed.
  google::protobuf::LinkExtensionReflection(auth::v1::policy);
  std::ifstream file(path, std::ios::binary);
  google::protobuf::FileDescriptorSet set;
  if (!file || !set.ParseFromIstream(&file)) {
    return absl::InvalidArgumentError(fmt::format("{} holds no descriptors", path));
  }
  ProtoServices result;
  result.pool_ = std::make_unique<google::protobuf::DescriptorPool>();
  for (const auto& proto : set.file()) {
    const auto* built = result.pool_->BuildFile(proto);
    if (built == nullptr) {
      return absl::InvalidArgumentError(fmt::format("{}: {} is broken", path, proto.name()));
    }
    const std::string_view package = built->package();
    if (!package.starts_with("ridestream.")) continue;  // Other packages have no policies.
    for (int i = 0; i < built->service_count(); ++i) result.services_.push_back(built->service(i));
  }
  return result;
}

}  // namespace ridestream::identity
