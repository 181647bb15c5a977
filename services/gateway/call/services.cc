#include "services/gateway/call/services.h"

#include <fmt/format.h>

#include "ridestream/common/v1/http.pb.h"

namespace ridestream::gateway {

void Services::Add(const google::protobuf::FileDescriptor& file,
                   const std::shared_ptr<MarketChannels>& channels) {
  for (int i = 0; i < file.service_count(); ++i) {
    const google::protobuf::ServiceDescriptor& service = *file.service(i);
    for (int j = 0; j < service.method_count(); ++j) {
      const google::protobuf::MethodDescriptor& method = *service.method(j);
      std::string path = fmt::format("/{}/{}", service.full_name(), method.name());
      const bool is_query = method.options().GetExtension(common::v1::http).has_get();
      methods_.emplace(path, Method{&method, path, channels, observer_, is_query});
    }
  }
}

const Method* Services::Find(std::string_view path) const {
  const auto found = methods_.find(path);
  return found == methods_.end() ? nullptr : &found->second;
}

std::vector<std::string> Services::Names(const google::protobuf::FileDescriptor& file) {
  std::vector<std::string> names;
  for (int i = 0; i < file.service_count(); ++i) names.push_back(file.service(i)->full_name());
  return names;
}

}  // namespace ridestream::gateway
