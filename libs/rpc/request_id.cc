#include "libs/rpc/request_id.h"

#include <fmt/format.h>

#include <random>

#include "libs/base/validation.h"

namespace ridestream::rpc {

std::vector<std::string> RequestIds(const grpc::ServerContextBase& context) {
  std::vector<std::string> ids;
  const auto [first, last] = context.client_metadata().equal_range(kRequestIdKey);
  for (auto entry = first; entry != last && ids.size() < kMaxRequestIds; ++entry) {
    std::string id(entry->second.data(), entry->second.size());
    if (IsId(id)) ids.push_back(std::move(id));
  }
  return ids;
}

std::string NewRequestId() {
  static thread_local std::mt19937_64 random{std::random_device()()};
  return fmt::format("x-{:016x}", random());
}

std::string RequestIdOrNew(const grpc::ServerContextBase& context) {
  std::vector<std::string> ids = RequestIds(context);
  return ids.empty() ? NewRequestId() : std::move(ids.front());
}

void AddRequestId(grpc::ClientContext& context, const std::string& id) {
  if (!id.empty()) context.AddMetadata(kRequestIdKey, id);
}

}  // namespace ridestream::rpc
