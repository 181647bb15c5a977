#include "services/gateway/call/services.h"

#include <fmt/format.h>

#include "libs/rpc/channel.h"
#include "ridestream/common/v1/http.pb.h"

namespace ridestream::gateway {

ServiceChannels MakeServiceChannels(const std::string& address,
                                    const std::vector<std::string>& retried_services,
                                    std::shared_ptr<grpc::ChannelCredentials> credentials) {
  ServiceChannels channels;
  const rpc::ChannelPool::Options options;
  for (std::size_t i = 0; i < kCallerClasses; ++i) {
    const int first = static_cast<int>(i) * options.max_channels;
    channels[i] = std::make_shared<rpc::ChannelPool>(
        [=](int connection) {
          return rpc::MakeChannel(address, {.retried_services = retried_services,
                                            .connection = first + connection,
                                            .credentials = credentials});
        },
        options);
  }
  return channels;
}

void Services::Add(const google::protobuf::FileDescriptor& file, const ServiceChannels& channels) {
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
